import { compilePredicate, FilterSubject, parseFilter } from '@logloom/filter';
import { Normalizer, readEvent } from '@logloom/ingest';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRequest, seededRandom } from './demo-traffic.ts';

test('each filter for events that the README shows finds something in the demo', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../../README.md'), 'utf8');
  const shown = [...readme.matchAll(/^npm run logloom -- (?:tail|search) '([^']+)'/gm)].map(
    ([, filter]) => filter!,
  );
  assert.ok(shown.length >= 2);
  const random = seededRandom(1);
  const normalizer = new Normalizer([]);
  const source = { kind: 'http', topic: 'demo', partition: 0, offset: 0, index: 0 };
  const events = Array.from({ length: 2000 }, () => makeRequest(random))
    .flat()
    .map(({ atMs: _, attributes, ...known }) => {
      const event = readEvent(JSON.stringify({ ...known, ...attributes }), source, 0, normalizer);
      assert.ok(!('code' in event));
      return new FilterSubject({ ...event, id: '', partition: 0, offset: 0 });
    });
  for (const text of shown) {
    const parsed = parseFilter(text);
    assert.ok(parsed.ok, text);
    assert.ok(events.some(compilePredicate(parsed.filter)), text);
  }
});

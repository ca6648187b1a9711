import { Normalizer, readEvent } from '@logloom/ingest';
import { exampleRulesFile, loadRules } from '@logloom/rules/rules-file';
import type { LogEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualOptions } from '../replay/testing/usual-options.ts';
import { tryRules } from '../replay/try-rules.ts';
import { demoRequests, toLine } from './demo.ts';

test('the examples of rules raise alerts in ten minutes of the demo, and not all of them', async () => {
  const loaded = loadRules(exampleRulesFile);
  assert.ok(loaded.ok);
  const shop = demoRequests(1);
  const begin = Date.parse('2026-01-05T10:00:00Z');
  const lines = Array.from({ length: 4000 }, (_, i) =>
    shop.next().value.map((event) => ({ at: begin + i * 150 + event.atMs, event })),
  )
    .flat()
    .sort((a, b) => a.at - b.at)
    .map(({ at, event }) => toLine(at, event));
  const normalizer = new Normalizer([]);
  async function* events(): AsyncGenerator<LogEvent> {
    for (const [offset, line] of lines.entries()) {
      const source = { kind: 'http', topic: 'demo', partition: 0, offset, index: 0 };
      const event = readEvent(line, source, begin + 600_000, normalizer);
      assert.ok(!('code' in event));
      yield event;
    }
  }
  const { windows, rules } = await tryRules(loaded.rules, events(), usualOptions);
  const keysOf = (name: string): string[] =>
    windows.find((rule) => rule.name === name)!.alerts.flatMap(({ key }) => Object.values(key));
  assert.ok(keysOf('failing-requests').includes('payment'));
  assert.deepEqual([...new Set(keysOf('failing-logins'))], ['203.0.113.66']);
  assert.ok(keysOf('guessed-password').includes('203.0.113.66'));
  for (const name of ['service-silent', 'disk-full', 'traffic-growing', 'errors-growing', 'deadlock'])
    assert.deepEqual(keysOf(name), [], name);
  assert.deepEqual(
    rules.map(({ name, alerts }) => [name, alerts]),
    [['request-unanswered', 0]],
  );
});

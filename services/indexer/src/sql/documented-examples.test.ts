import { ColumnStore } from '@logloom/column-store';
import { correlationDocument, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runSql } from './run-sql.ts';
import { sqlTables } from './sql-source.ts';

const page = readFileSync(new URL('../../../../docs/sql.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql!);
const hour = 3_600_000_000;

/** What each example of docs/sql.md finds, in their order. */
const found: Record<string, unknown>[][] = [
  [
    { hour: '1970-01-01T00:00:00Z', service: 'web', p95: 9.5 },
    { hour: '1970-01-01T01:00:00Z', service: 'pay', p95: 20 },
  ],
  [{ message: 'new', first_at: '1970-01-01T01:00:05Z', n: 2 }],
  [{ services: ['web', 'pay'], requests: 1, mean_ms: 40 }],
  [{ caller: 'web', service: 'pay', calls: 2 }],
];

test('every example of docs/sql.md runs, and finds what it says', async () => {
  using folder = temporaryFolder('sql-examples');
  const store = new ColumnStore(folder.path);
  const event = (offset: number, timestamp: number, service: string, rest: object) =>
    placedEvent(offset, { timestamp, service, message: 'known', correlationId: `r-${offset % 2}`, ...rest });
  await store.putEvents('search', [
    event(0, 0, 'web', { attributes: '{"duration_ms":0}' }),
    event(1, 1_000_000, 'web', { attributes: '{"duration_ms":"10"}' }),
    event(2, hour, 'pay', { attributes: '{"duration_ms":20}' }),
    event(3, hour + 5_000_000, 'pay', { message: 'new' }),
    event(5, hour + 6_000_000, 'pay', { message: 'new' }),
  ]);
  const services = ['web', 'pay'];
  await store.putDocuments('search', [
    correlationDocument('0-1', { firstAt: 0, lastAt: 40_000, services, levels: { error: 1 } }),
    correlationDocument('0-2', { firstAt: 0, lastAt: 90_000, services: ['web'] }),
  ]);
  assert.equal(examples.length, found.length);
  for (const [i, sql] of examples.entries()) {
    const { release, ...tables } = await sqlTables({
      folder: folder.path,
      read: (work) => store.read('search', work),
    });
    const limits = { limitMs: 60_000, processBytes: 1e9 };
    const job = { sql, ...tables, alerts: [], threads: 1, memoryBytes: 100e6, maxRows: 100, maxBytes: 1e6 };
    const { head, rows } = await runSql(job, limits, new AbortController().signal);
    assert.ok('columns' in head, JSON.stringify(head));
    let text = '';
    for await (const part of rows) text += part.toString();
    release();
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      found[i],
      sql,
    );
  }
  await store.close();
});

import { SqliteEventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics } from '@logloom/schemas';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { logEvent } from '../testing/jobs-rig.ts';
import { LogReader } from './log-reader.ts';

test('a reader under which the log loses its end fails, so that the next attempt reads what is there', async () => {
  using folder = temporaryFolder('log-reader');
  const log = new SqliteEventLog(folder.path);
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions: 1 })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const append = (from: number): Promise<number[]> =>
    log.append(
      topics.events,
      Array.from({ length: 10 }, (_, i) => ({
        partition: 0,
        key: null,
        value: serde.encode('LogEvent', logEvent(from + i)),
      })),
    );
  const read: string[] = [];
  const index = async (events: readonly { id: string }[]): Promise<void> =>
    void read.push(...events.map(({ id }) => id));
  const open = (): LogReader =>
    new LogReader({ log, serde }, new AbortController().signal, { index, indexCorrelations: async () => {} });
  try {
    await append(0);
    await append(10);
    const reader = open();
    await reader.readTo(await reader.ends(), async () => {});
    assert.equal(read.length, 20);
    const db = new DatabaseSync(join(folder.path, `${topics.events}.db`));
    db.exec('DELETE FROM p0 WHERE "offset" >= 10');
    db.close();
    await assert.rejects(reader.ends(), /lost its end at 10/);
    const next = open();
    read.length = 0;
    await next.readTo(await next.ends(), async () => {});
    assert.equal(read.length, 10);
  } finally {
    await log.close();
  }
});

import { SqliteEventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics, type Source } from '@logloom/schemas';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { producerKind, ProducerTable } from './producer-table.ts';

test('a retry at another instance finds what is durable, and one that continues reads nothing', async () => {
  using folder = temporaryFolder('producers');
  const log = new SqliteEventLog(folder.path);
  await log.createTopics([{ name: topics.events, partitions: 1 }]);
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  let reads = 0;
  const read: SqliteEventLog['read'] = (...range) => {
    reads++;
    return log.read(...range);
  };
  const counted = Object.assign(Object.create(log) as SqliteEventLog, {
    read,
    startOffsets: (topic: string) => log.startOffsets(topic),
    endOffsets: (topic: string) => log.endOffsets(topic),
    skippedOffsets: (topic: string) => log.skippedOffsets(topic),
  });
  const instance = () => {
    const table = new ProducerTable({ log: counted, serde, partitions: 1, isShared: true });
    /** Processes a request of two events; returns how many of them were durable before. */
    const request = (scope: string, epoch: number, first: number): Promise<number> =>
      table.inOrder(scope, epoch, first, async () => {
        const sources = [first, first + 1].map((offset): Source => ({
          kind: producerKind,
          topic: scope,
          partition: epoch,
          offset,
          index: 0,
        }));
        const fresh = sources.filter((source) => !table.isDurable(source));
        const records = fresh.map((source) => ({
          partition: 0,
          key: null,
          value: serde.encode('LogEvent', {
            source,
            timestamp: 1,
            receivedAt: 0,
            level: 'info',
            service: 's',
            host: null,
            message: 'm',
            correlationId: null,
            correlationKind: null,
            traceId: null,
            spanId: null,
            attributes: '{}',
          }),
        }));
        await log.append(topics.events, records);
        for (const source of fresh) table.stored(source);
        return sources.length - fresh.length;
      });
    return Object.assign(request, { fill: () => table.fill() });
  };
  try {
    const [a, b] = [instance(), instance()];
    assert.deepEqual([await a('p', 0, 0), await b('q', 0, 0)], [0, 0], 'both are filled');
    assert.equal(await a('p', 0, 2), 0);
    assert.deepEqual([await b('p', 0, 2), await b('p', 0, 0), await b('p', 0, 4)], [2, 2, 0]);
    const before = reads;
    assert.deepEqual([await b('p', 0, 6), await b('p', 0, 8)], [0, 0]);
    assert.equal(reads, before);
    // Back at the first one, many at once.
    assert.deepEqual(await Promise.all([6, 8].map((first) => a('p', 0, first))), [2, 2]);
    assert.equal(await b('p', 1, 10), 0);
    await assert.rejects(a('p', 0, 20), { code: 'producer-fenced' });

    const c = instance();
    await c.fill();
    const filled = reads;
    assert.deepEqual([await c('p', 1, 10), reads], [2, filled], 'what was read before is not read again');
  } finally {
    await log.close();
  }
});

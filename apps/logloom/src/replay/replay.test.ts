import { SqliteEventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { isOfEpoch, topics, type Correlation, type CorrelationOptions } from '@logloom/schemas';
import { logEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TopicView } from './replay-views.ts';
import { replay } from './replay.ts';

/** Every event is of one request. */
const request = {
  timestamp: 1,
  service: 'web',
  correlationId: 'a',
  correlationKind: 'traceId',
  traceId: 'a',
} as const;

test('a replay that begins in the middle of the log has the rules that were in force there', async () => {
  using folder = temporaryFolder('replay');
  const log = new SqliteEventLog(join(folder.path, 'log'));
  await log.createTopics([{ name: topics.events, partitions: 1 }]);
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const append = (...values: Buffer[]): Promise<number[]> =>
    log.append(
      topics.events,
      values.map((value) => ({ partition: 0, key: null, value })),
    );
  const rules = (name: string, options: CorrelationOptions | null = null): Buffer =>
    serde.encode('Rules', { version: name, text: `rules: [{ name: ${name}, when: '*' }]`, options });
  const tick = serde.encode('Tick', { dueAt: 1 });
  await append(rules('first'));
  await append(rules('second'));
  // More than what is read at once.
  await append(...Array.from({ length: 5000 }, () => tick));
  await sleep(5);
  const fromMs = Date.now();
  await append(serde.encode('LogEvent', logEvent(0, request)));
  const options = { idleMs: 1, maxMs: 1000, graceMs: 1, maxEvents: 100, maxSessions: 100, memoryBytes: 1e9 };
  const made = async (given: null | undefined, from: number | undefined): Promise<string[][]> => {
    const documents: Correlation[] = [];
    const { signal } = new AbortController();
    const view = { put: async (of: readonly Correlation[]) => void documents.push(...of) };
    await replay(
      {
        log,
        serde,
        options: undefined,
        fallback: options,
        rules: given,
        fromMs: from,
        toMs: undefined,
        signal,
      },
      view,
    );
    return documents.map((document) => document.rules);
  };
  try {
    assert.deepEqual(await made(undefined, undefined), [['second']]);
    assert.deepEqual(await made(undefined, fromMs), [['second']]);
    assert.deepEqual(await made(null, fromMs), [[]]);
  } finally {
    await log.close();
  }
});

test('a replay says what it could not read, is of one epoch, and its documents name it', async () => {
  using folder = temporaryFolder('replay-gaps');
  const log = new SqliteEventLog(join(folder.path, 'log'));
  const create = (): Promise<void> => log.createTopics([{ name: topics.events, partitions: 1 }]);
  await create();
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const options = { idleMs: 1, maxMs: 1000, graceMs: 1, maxEvents: 100, maxSessions: 100, memoryBytes: 1e9 };
  const append = (first: number, count: number): Promise<number[]> =>
    log.append(
      topics.events,
      Array.from({ length: count }, (_, i) => ({
        partition: 0,
        key: null,
        value: serde.encode('LogEvent', logEvent(first + i, request)),
      })),
    );
  const { signal } = new AbortController();
  const range = { rules: null, fromMs: undefined, toMs: undefined, options, fallback: options, signal };
  try {
    for (const first of [0, 10, 20]) await append(first, 10);
    const db = new DatabaseSync(join(folder.path, 'log', `${topics.events}.db`));
    db.exec('UPDATE p0 SET records = zeroblob(length(records)) WHERE "offset" = 10');
    db.close();
    const view = await TopicView.create(log, serde, 'replay.gaps');
    const [replayed] = await replay({ log, serde, ...range }, view);
    assert.deepEqual(replayed, {
      partition: 0,
      from: 0,
      to: 30,
      gaps: [{ topic: topics.events, partition: 0, from: 10, to: 20, reason: 'damaged' }],
    });
    const documents = await log.read('replay.gaps', 0, 0, 10);
    const epoch = await log.epochOf(topics.events);
    assert.ok(documents.length > 0);
    for (const record of documents)
      assert.deepEqual([isOfEpoch(record, epoch), isOfEpoch(record, 'x')], [true, false]);

    // Made anew between two reads.
    await append(100, 5000);
    let puts = 0;
    const put = async (): Promise<void> => {
      if (puts++ > 0) return;
      await log.deleteTopic(topics.events);
      await create();
      await append(0, 6000);
    };
    await assert.rejects(replay({ log, serde, ...range }, { put }), { code: 'topic-recreated' });
  } finally {
    await log.close();
  }
});

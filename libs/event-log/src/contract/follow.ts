import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogRecord } from '../event-log.ts';
import { newTopic, numbered, record, Running, texts, type Bench } from './harness.ts';

export function followTests(bench: () => Bench): void {
  test('follow gives what is there from the offsets on, then what arrives', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    const offsets = await log.append(topic, [...numbered('a', 5, 0), ...numbered('b', 5, 1)]);
    const found: LogRecord[] = [];
    await using following = new Running((signal) =>
      log.follow(
        { topic, from: [offsets[2]!, offsets[9]!], onBatch: (records) => void found.push(...records) },
        signal,
      ),
    );
    await following.until('the old records', () => found.length === 4);
    await log.append(topic, [record('a-live', 0), record('b-live', 1)]);
    await following.until('the live records', () => found.length === 6);
    await following.stop();
    const of = (partition: number): string[] => texts(found.filter((r) => r.partition === partition));
    assert.deepEqual(of(0), ['a2', 'a3', 'a4', 'a-live']);
    assert.deepEqual(of(1), ['b4', 'b-live']);
  });

  test('follow from the end offsets gives only what arrives, also from another instance', async () => {
    const { log, connect } = bench();
    const topic = await newTopic(log);
    await log.append(topic, [record('old')]);
    const found: LogRecord[] = [];
    const from = await log.endOffsets(topic);
    await using following = new Running((signal) =>
      log.follow({ topic, from, onBatch: (records) => void found.push(...records) }, signal),
    );
    const other = await connect();
    await other.append(topic, [record('new')]);
    await following.until('the new record', () => found.length > 0);
    await other.close();
    assert.deepEqual(texts(found), ['new']);
  });

  test('follow calls onBatch once at a time, with records of one partition and at most maxRecords', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 3);
    await log.append(
      topic,
      [0, 1, 2].flatMap((p) => numbered('r', 25, p)),
    );
    let running = 0;
    let seen = 0;
    const onBatch = async (records: LogRecord[], partition: number): Promise<void> => {
      assert.equal(++running, 1, 'two calls at once');
      assert.ok(records.length > 0 && records.length <= 10);
      assert.ok(records.every((r) => r.partition === partition));
      await sleep(2);
      running--;
      seen += records.length;
    };
    await using following = new Running((signal) =>
      log.follow({ topic, from: [0, 0, 0], maxRecords: 10, onBatch }, signal),
    );
    await following.until('all records', () => seen === 75);
    await following.stop();
  });

  test('follow waits for onBatch to end before it resolves', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    await log.append(topic, [record('x')]);
    const released = Promise.withResolvers<void>();
    let entered = false;
    let left = false;
    await using following = new Running((signal) =>
      log.follow(
        {
          topic,
          from: [0],
          onBatch: async () => {
            entered = true;
            await released.promise;
            left = true;
          },
        },
        signal,
      ),
    );
    await following.until('onBatch', () => entered);
    const stopped = following.stop();
    released.resolve();
    await stopped;
    assert.ok(left);
  });

  test('follow resolves when it is aborted, before or while it waits', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const onBatch = (): void => assert.fail('there is nothing to give');
    await log.follow({ topic, from: [0], onBatch }, AbortSignal.abort());
    await using following = new Running((signal) => log.follow({ topic, from: [0], onBatch }, signal));
    await following.stop();
  });

  test("follow rejects with onBatch's error", async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    await log.append(topic, [record('x')]);
    const error = new Error('the reader is broken');
    const { signal } = new AbortController();
    const onBatch = async (): Promise<void> => {
      throw error;
    };
    await assert.rejects(log.follow({ topic, from: [0], onBatch }, signal), error);
  });
}

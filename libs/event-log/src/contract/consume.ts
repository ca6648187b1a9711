import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignment, LogRecord, PartitionHandler } from '../event-log.ts';
import { newGroup, newTopic, numbered, record, rejectsWith, Running, texts, type Bench } from './harness.ts';

export function consumeTests(bench: () => Bench): void {
  test('consume gives every partition from the beginning and commits nothing by itself', async () => {
    const { log } = bench();
    const topics = [await newTopic(log, 2), await newTopic(log, 1)];
    const group = newGroup();
    for (const topic of topics) await log.append(topic, numbered(topic, 3));
    const found: LogRecord[] = [];
    const opened: Assignment[] = [];
    await using member = new Running((signal) =>
      log.consume(
        {
          group,
          topics,
          open: async (assignment) => {
            opened.push(assignment);
            return { process: async (records) => void found.push(...records) };
          },
        },
        signal,
      ),
    );
    await member.until('the old records', () => found.length === 6);
    await log.append(topics[0]!, [record('live', 1)]);
    await member.until('the live record', () => found.length === 7);
    await member.stop();
    assert.deepEqual(
      opened.map((a) => `${a.topic}/${a.partition}`).toSorted(),
      [`${topics[0]}/0`, `${topics[0]}/1`, `${topics[1]}/0`].toSorted(),
    );
    assert.ok(opened.every((a) => a.committed === null));
    assert.deepEqual(await log.committed(group, topics[0]!), [null, null]);
  });

  test('the calls for one partition never overlap; batches keep to maxRecords and the order', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 3);
    await log.append(
      topic,
      [0, 1, 2].flatMap((p) => numbered('r', 20, p)),
    );
    const found: LogRecord[] = [];
    const idle = new Set<number>();
    const closed: number[] = [];
    const open = async ({ partition }: Assignment): Promise<PartitionHandler> => {
      let running = 0;
      const alone = async (work: () => void): Promise<void> => {
        assert.equal(++running, 1, 'two calls at once');
        await sleep(2);
        work();
        running--;
      };
      return {
        process: (records) =>
          alone(() => {
            assert.ok(records.length > 0 && records.length <= 7);
            found.push(...records);
          }),
        idle: () => alone(() => idle.add(partition)),
        close: () => alone(() => closed.push(partition)),
      };
    };
    await using member = new Running((signal) =>
      log.consume({ group: newGroup(), topics: [topic], maxRecords: 7, open }, signal),
    );
    await member.until('all records', () => found.length === 60);
    await member.until('idle calls', () => idle.size === 3);
    await member.stop();
    assert.deepEqual(closed.toSorted(), [0, 1, 2]);
    for (const partition of [0, 1, 2]) {
      const offsets = found.filter((r) => r.partition === partition).map((r) => r.offset);
      assert.deepEqual(
        offsets,
        [...new Set(offsets)].toSorted((a, b) => a - b),
      );
      assert.equal(offsets.length, 20);
    }
  });

  test('startOffset goes before the commit', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const offsets = await log.append(topic, numbered('r', 5));
    const group = newGroup();
    const found: LogRecord[] = [];
    const consume = (startOffset: number | undefined): Running =>
      new Running((signal) =>
        log.consume(
          {
            group,
            topics: [topic],
            open: async ({ commit }) => ({
              ...(startOffset === undefined ? {} : { startOffset }),
              process: async (records) => void found.push(...records),
              close: () => commit(offsets[4]!),
            }),
          },
          signal,
        ),
      );
    {
      await using member = consume(offsets[3]);
      await member.until('the records from startOffset on', () => found.length === 2);
      await member.stop();
    }
    {
      await using member = consume(offsets[1]);
      await member.until('the records from startOffset on', () => found.length === 6);
      await member.stop();
    }
    assert.deepEqual(texts(found), ['r3', 'r4', 'r1', 'r2', 'r3', 'r4']);
  });

  test("a handler's error ends consume with it, after every handler was closed", async () => {
    const { log } = bench();
    const topic = await newTopic(log, 3);
    const error = new Error('the handler is broken');
    const closed: number[] = [];
    await using member = new Running((signal) =>
      log.consume(
        {
          group: newGroup(),
          topics: [topic],
          open: async ({ partition }) => ({
            process: async () => {
              if (partition === 1) throw error;
            },
            close: async () => void closed.push(partition),
          }),
        },
        signal,
      ),
    );
    await log.append(topic, [record('x', 1)]);
    await assert.rejects(member.done, error);
    assert.deepEqual(closed.toSorted(), [0, 1, 2]);
  });

  test('an error of open, idle or close ends consume with it', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const error = new Error('the handler is broken');
    const fail = async (): Promise<never> => {
      throw error;
    };
    const process = async (): Promise<void> => {};
    const opens = [fail, async () => ({ process, idle: fail }), async () => ({ process, close: fail })];
    for (const open of opens) {
      let opened = false;
      await using member = new Running((signal) =>
        log.consume(
          {
            group: newGroup(),
            topics: [topic],
            open: (): Promise<PartitionHandler> => {
              opened = true;
              return open();
            },
          },
          signal,
        ),
      );
      await member.until('open', () => opened).catch(() => {});
      if (open === opens[2]) await assert.rejects(member.stop(), error);
      else await assert.rejects(member.done, error);
    }
  });

  test('consume resolves at once when it is aborted already', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const open = (): never => assert.fail('nothing is assigned');
    await log.consume({ group: newGroup(), topics: [topic], open }, AbortSignal.abort());
  });

  test('consume of an unknown topic is unknown-topic', async () => {
    const { log } = bench();
    const open = (): never => assert.fail('nothing is assigned');
    const options = { group: newGroup(), topics: ['contract-never-made'], open };
    await rejectsWith('unknown-topic', log.consume(options, new AbortController().signal));
  });
}

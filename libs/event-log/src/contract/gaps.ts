import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, LogGap, LogRecord } from '../event-log.ts';
import {
  clockPast,
  newGroup,
  newTopic,
  numbered,
  rejectsWith,
  Running,
  texts,
  type Bench,
} from './harness.ts';

/** `count` records of a time before that of `count` others, in each of two partitions. */
async function oldAndNew(
  { log }: Bench,
  topic: string,
  count = 4,
): Promise<{ before: number; firsts: number[]; ends: number[] }> {
  const waves = ['old', 'new'].map((name) => [...numbered(name, count, 0), ...numbered(name, count, 1)]);
  const old = await log.append(topic, waves[0]!);
  for (const [i, offset] of [old[count - 1]!, old.at(-1)!].entries())
    await clockPast((await log.read(topic, i, offset, 1))[0]!.timestampMs);
  const young = await log.append(topic, waves[1]!);
  const firsts = [young[0]!, young[count]!];
  const stored = await Promise.all(firsts.map((offset, p) => log.read(topic, p, offset, 1)));
  const before = Math.min(...stored.map(([record]) => record!.timestampMs));
  return { before, firsts, ends: await log.endOffsets(topic) };
}

const asGap = (topic: string, partition: number, from: number, to: number): LogGap => ({
  topic,
  partition,
  from,
  to,
  reason: 'trimmed',
});

export function gapTests(bench: () => Bench): void {
  test('read of a trimmed offset tells the gap and returns what is left; of one that is there, none', async () => {
    const { log, capabilities } = bench();
    if (!capabilities.exactTrim) return;
    const topic = await newTopic(log, 2);
    const { before, firsts } = await oldAndNew(bench(), topic);
    await log.trim(topic, before);
    const gaps: LogGap[] = [];
    const left = await log.read(topic, 1, 1, 2, (gap) => void gaps.push(gap));
    assert.deepEqual(texts(left), ['new0', 'new1']);
    assert.deepEqual(gaps, [asGap(topic, 1, 1, firsts[1]!)]);
    await log.read(topic, 1, firsts[1]!, 2, () => assert.fail('it is there'));
    await log.read(topic, 1, firsts[1]! + 1_000, 2, () => assert.fail('nothing was there yet'));
  });

  test('follow reports a gap with exact bounds before the first batch behind it, once', async () => {
    const { log, capabilities } = bench();
    if (!capabilities.exactTrim) return;
    const topic = await newTopic(log, 2);
    const { before, firsts } = await oldAndNew(bench(), topic);
    await log.trim(topic, before);
    const seen: (LogGap | string)[][] = [[], []];
    let running = 0;
    const alone = async (partition: number, what: (LogGap | string)[]): Promise<void> => {
      assert.equal(++running, 1, 'two calls at once');
      await Promise.resolve();
      seen[partition]!.push(...what);
      running--;
    };
    await using following = new Running((signal) =>
      log.follow(
        {
          topic,
          from: [1, firsts[1]!],
          onBatch: (records, partition) => alone(partition, texts(records)),
          onGap: (gap) => alone(gap.partition, [gap]),
        },
        signal,
      ),
    );
    await following.until('what is left', () => seen.every((each) => each.at(-1) === 'new3'));
    await following.stop();
    const young = ['new0', 'new1', 'new2', 'new3'];
    assert.deepEqual(seen, [[asGap(topic, 0, 1, firsts[0]!), ...young], young]);
  });

  test('follow that takes no gaps ends with offset-out-of-range', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    const { before } = await oldAndNew(bench(), topic);
    await log.trim(topic, before);
    const follow = (): Promise<void> =>
      log.follow({ topic, from: [0, 0], onBatch: () => {} }, AbortSignal.timeout(60_000));
    await rejectsWith('offset-out-of-range', follow());
  });

  test('a group that was away while its records were trimmed is told the gap from its commit on', async () => {
    const { log, capabilities } = bench();
    if (!capabilities.exactTrim) return;
    const topic = await newTopic(log, 2);
    const group = newGroup();
    const { before, firsts, ends } = await oldAndNew(bench(), topic);
    const seen: (LogGap | string)[][] = [[], []];
    const work = (
      withGap: boolean,
      process: (records: LogRecord[], to: Assignment) => Promise<void>,
    ): Running =>
      new Running((signal) =>
        log.consume(
          {
            group,
            topics: [topic],
            maxRecords: 2,
            open: async (assignment) => ({
              process: (records) => process(records, assignment),
              ...(withGap ? { gap: (gap: LogGap) => void seen[gap.partition]!.push(gap) } : {}),
            }),
          },
          signal,
        ),
      );
    let committed = 0;
    {
      // The first partition is left in the middle of what is removed, the second one behind it.
      await using member = work(false, async (records, { partition, commit }) => {
        const next = records.at(-1)!.offset + 1;
        if (next !== (partition === 0 ? 2 : ends[1])) return;
        await commit(next);
        committed++;
      });
      await member.until('both commits', () => committed === 2);
      await member.stop();
    }
    await log.trim(topic, before);
    {
      await using member = work(false, async () => {});
      await rejectsWith('offset-out-of-range', member.done);
    }
    await using member = work(true, async (records) => {
      for (const record of records) seen[record.partition]!.push(...texts([record]));
    });
    await member.until('what is left', () => seen[0]!.at(-1) === 'new3');
    await member.stop();
    assert.deepEqual(seen, [[asGap(topic, 0, 2, firsts[0]!), 'new0', 'new1', 'new2', 'new3'], []]);
  });

  test('a new group begins at the start of what is there, and that is no gap', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    const { before } = await oldAndNew(bench(), topic);
    await log.trim(topic, before);
    const found: string[] = [];
    await using member = new Running((signal) =>
      log.consume(
        {
          group: newGroup(),
          topics: [topic],
          open: async () => ({ process: async (records) => void found.push(...texts(records)) }),
        },
        signal,
      ),
    );
    await member.until('both ends', () => found.filter((text) => text === 'new3').length === 2);
    await member.stop();
  });

  test('a position beyond the end is a gap back to the end', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    await log.append(topic, numbered('r', 3));
    const [end] = await log.endOffsets(topic);
    const gaps: LogGap[] = [];
    const found: string[] = [];
    await using following = new Running((signal) =>
      log.follow(
        {
          topic,
          from: [end! + 40],
          onBatch: (records) => void found.push(...texts(records)),
          onGap: (gap) => void gaps.push(gap),
        },
        signal,
      ),
    );
    await following.until('the gap', () => gaps.length > 0);
    await log.append(topic, numbered('next', 1));
    await following.until('the next record', () => found.length === 1);
    await following.stop();
    assert.deepEqual(gaps, [{ topic, partition: 0, from: end, to: end! + 40, reason: 'lost-end' }]);
    assert.deepEqual(found, ['next0']);
  });
}

export function epochTests(bench: () => Bench): void {
  /** Deletes the topic and recreates it with as many records, all of them others. */
  const makeAnew = async ({ connect }: Bench, topic: string, count: number): Promise<void> => {
    const other = await connect();
    await other.deleteTopic(topic);
    await other.createTopics([{ name: topic, partitions: 1 }]);
    await other.append(topic, numbered('new', count));
    await other.close();
  };

  test('the epoch of a topic stays over instances and trims, and changes when it is recreated', async () => {
    const { log, connect } = bench();
    const topic = await newTopic(log);
    const neighbour = await newTopic(log);
    const [epoch, other] = [await log.epochOf(topic), await log.epochOf(neighbour)];
    assert.match(epoch, /^[0-9A-Za-z]{6,16}$/);
    await log.append(topic, numbered('old', 3));
    const second = await connect();
    assert.equal(await second.epochOf(topic), epoch);
    await second.close();
    await makeAnew(bench(), topic, 3);
    const third = await connect();
    assert.notEqual(await third.epochOf(topic), epoch);
    assert.equal(await third.epochOf(neighbour), other);
    await third.close();
    await rejectsWith('unknown-topic', log.epochOf('contract-never-made'));
  });

  test('a commit on a topic that was recreated counts no longer, though its offset is valid there', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const group = newGroup();
    await log.append(topic, numbered('old', 10));
    const seen: (string | number | undefined)[] = [];
    const work = (): Running =>
      new Running((signal) =>
        log.consume(
          {
            group,
            topics: [topic],
            open: async ({ committed, commit }) => {
              seen.push(committed?.offset);
              return {
                process: async (records) => {
                  seen.push(...texts(records));
                  await commit(records.at(-1)!.offset + 1);
                },
                gap: () => assert.fail('another topic is no gap'),
              };
            },
          },
          signal,
        ),
      );
    {
      await using member = work();
      await member.until('the old records', () => seen.at(-1) === 'old9');
      await member.stop();
    }
    await makeAnew(bench(), topic, 20);
    await using member = work();
    await member.until('the new records', () => seen.at(-1) === 'new19');
    await member.stop();
    const all = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => name + i);
    assert.deepEqual(seen, [undefined, ...all('old', 10), undefined, ...all('new', 20)]);
  });

  test('a group at work begins again on a topic that is recreated under it, and mixes nothing', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    await log.append(topic, numbered('old', 10));
    const seen: string[][] = [];
    const stale: Assignment[] = [];
    await using member = new Running((signal) =>
      log.consume(
        {
          group: newGroup(),
          topics: [topic],
          maxRecords: 5,
          open: async (assignment) => {
            const mine: string[] = [];
            seen.push(mine);
            return {
              process: async (records) => {
                mine.push(...texts(records));
                await assignment.commit(records.at(-1)!.offset + 1);
              },
              close: async () => void stale.push(assignment),
            };
          },
        },
        signal,
      ),
    );
    await member.until('the old records', () => seen[0]?.length === 10);
    // More than the reader has had: where it continues by the offset alone, it misses the first ten.
    await makeAnew(bench(), topic, 25);
    await member.until('the new records', () => seen.at(-1)!.at(-1) === 'new24');
    await rejectsWith('not-assigned', stale[0]!.commit(3));
    await member.stop();
    assert.deepEqual(
      seen.at(-1)!,
      Array.from({ length: 25 }, (_, i) => `new${i}`),
    );
    assert.equal(seen.flat().filter((text) => text.startsWith('old')).length, 10);
  });

  test('follow of a topic that is recreated ends with topic-recreated', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    await log.append(topic, numbered('old', 5));
    const found: string[] = [];
    await using following = new Running((signal) =>
      log.follow({ topic, from: [0], onBatch: (records) => void found.push(...texts(records)) }, signal),
    );
    await following.until('the old records', () => found.length === 5);
    await makeAnew(bench(), topic, 8);
    await rejectsWith('topic-recreated', following.done);
    assert.ok(!found.some((text) => text.startsWith('new')), 'records of the new one at offsets of the old');
  });
}

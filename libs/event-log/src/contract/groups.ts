import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxMetadataBytes, type Assignment, type EventLog, type LogRecord } from '../event-log.ts';
import { newGroup, newTopic, numbered, record, rejectsWith, Running, texts, type Bench } from './harness.ts';

export function groupTests(bench: () => Bench): void {
  /** A member that is open until the block ends, with its assignments by partition. */
  const join = async (
    log: EventLog,
    group: string,
    topic: string,
    process: (records: LogRecord[], assignment: Assignment) => Promise<void> = async () => {},
  ): Promise<{ joined: Running; assignments: Map<number, Assignment> }> => {
    const assignments = new Map<number, Assignment>();
    const joined = new Running((signal) =>
      log.consume(
        {
          group,
          topics: [topic],
          open: async (assignment) => {
            assignments.set(assignment.partition, assignment);
            return { process: (records) => process(records, assignment) };
          },
        },
        signal,
      ),
    );
    const count = await log.partitionCount(topic);
    await joined.until('all partitions', () => assignments.size === count);
    return { joined, assignments };
  };

  test('a commit is read back with its metadata, by every instance', async () => {
    const { log, connect } = bench();
    const topic = await newTopic(log, 2);
    await log.append(topic, numbered('r', 3, 1));
    const group = newGroup();
    const metadata = `${'é'.repeat(maxMetadataBytes / 2 - 2)}\n"\\x`;
    const { joined, assignments } = await join(log, group, topic);
    await using member = joined;
    await assignments.get(1)!.commit(2, 'first');
    await assignments.get(1)!.commit(3, metadata);
    assert.deepEqual(await log.committed(group, topic), [null, { offset: 3, metadata }]);
    await assignments.get(0)!.commit(0);
    const other = await connect();
    assert.deepEqual(await other.committed(group, topic), [
      { offset: 0, metadata: '' },
      { offset: 3, metadata },
    ]);
    await other.close();
    assert.deepEqual(await log.committed(newGroup(), topic), [null, null]);
    await member.stop();
  });

  test('metadata over the limit is refused, counted in bytes', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const group = newGroup();
    const { joined, assignments } = await join(log, group, topic);
    await using member = joined;
    const { commit } = assignments.get(0)!;
    await rejectsWith('metadata-too-large', commit(0, 'x'.repeat(maxMetadataBytes + 1)));
    await rejectsWith('metadata-too-large', commit(0, 'é'.repeat(maxMetadataBytes / 2 + 1)));
    assert.deepEqual(await log.committed(group, topic), [null]);
    await commit(0, 'x'.repeat(maxMetadataBytes));
    await member.stop();
  });

  test('close may commit; after it the partition is not-assigned', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const group = newGroup();
    let kept: Assignment | undefined;
    await using member = new Running((signal) =>
      log.consume(
        {
          group,
          topics: [topic],
          open: async (assignment) => {
            kept = assignment;
            return { process: async () => {}, close: () => assignment.commit(7, 'last') };
          },
        },
        signal,
      ),
    );
    await member.until('the partition', () => kept !== undefined);
    await member.stop();
    await rejectsWith('not-assigned', kept!.commit(9));
    assert.deepEqual(await log.committed(group, topic), [{ offset: 7, metadata: 'last' }]);
  });

  test('a member continues where the one before it committed, not where it read', async () => {
    const { log, connect } = bench();
    const topic = await newTopic(log);
    const offsets = await log.append(topic, numbered('r', 10));
    const group = newGroup();
    const first: LogRecord[] = [];
    {
      const { joined, assignments } = await join(
        log,
        group,
        topic,
        async (records) => void first.push(...records),
      );
      await using member = joined;
      await member.until('all records', () => first.length === 10);
      await assignments.get(0)!.commit(offsets[4]!, 'half-way');
      await member.stop();
    }
    const other = await connect();
    const second: LogRecord[] = [];
    {
      const { joined, assignments } = await join(
        other,
        group,
        topic,
        async (records) => void second.push(...records),
      );
      await using member = joined;
      await member.until('the rest', () => second.length === 6);
      assert.deepEqual(assignments.get(0)!.committed, { offset: offsets[4], metadata: 'half-way' });
      await member.stop();
    }
    await other.close();
    assert.deepEqual(texts(second), ['r4', 'r5', 'r6', 'r7', 'r8', 'r9']);
  });

  test('groups do not see each other', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    await log.append(topic, numbered('r', 4));
    for (const group of [newGroup(), newGroup()]) {
      const found: LogRecord[] = [];
      const { joined } = await join(log, group, topic, async (records, { commit }) => {
        found.push(...records);
        await commit(records.at(-1)!.offset + 1);
      });
      await using member = joined;
      await member.until('all records', () => found.length === 4);
      await member.stop();
    }
  });

  test('two members of a group process every record, and none is committed by both', async () => {
    const { log, connect } = bench();
    const topic = await newTopic(log, 4);
    const group = newGroup();
    const committed: string[] = [];
    const member = (instance: EventLog): Running =>
      new Running((signal) =>
        instance.consume(
          {
            group,
            topics: [topic],
            maxRecords: 10,
            open: async ({ commit }) => ({
              process: async (records) => {
                await commit(records.at(-1)!.offset + 1);
                committed.push(...records.map((r) => `${r.partition}/${r.offset}`));
              },
            }),
          },
          signal,
        ),
      );
    const other = await connect();
    const wave = async (): Promise<void> => {
      for (let i = 0; i < 25; i++)
        await log.append(
          topic,
          [0, 1, 2, 3].map((p) => record('r', p)),
        );
    };
    {
      await using one = member(log);
      await using two = member(other);
      await wave();
      await one.until('the first wave', () => committed.length >= 100);
      await one.stop();
      await wave();
      await two.until('the second wave, after a member left', () => committed.length >= 200);
      await using three = member(log);
      await two.stop();
      await wave();
      await three.until('the third wave, after a member joined', () => committed.length >= 300);
      await three.stop();
    }
    await other.close();
    assert.equal(committed.length, 300);
    assert.equal(new Set(committed).size, 300);
    const ends = await log.endOffsets(topic);
    assert.deepEqual(
      (await log.committed(group, topic)).map((c) => c?.offset),
      ends,
    );
  });
}

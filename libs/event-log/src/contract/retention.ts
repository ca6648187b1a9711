import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '../event-log.ts';
import {
  clockPast,
  newGroup,
  newTopic,
  numbered,
  readAll,
  record,
  rejectsWith,
  Running,
  texts,
  type Bench,
} from './harness.ts';

export function retentionTests(bench: () => Bench): void {
  test('trim removes what is older; the end offsets and the epoch stay', async () => {
    const { log, connect, capabilities } = bench();
    const topic = await newTopic(log, 2);
    const old = await log.append(topic, numbered('old', 3));
    const [lastOld] = await log.read(topic, 0, old[2]!, 1);
    await clockPast(lastOld!.timestampMs);
    const young = await log.append(topic, numbered('new', 3));
    const [firstNew] = await log.read(topic, 0, young[0]!, 1);
    const ends = await log.endOffsets(topic);
    await log.trim(topic, firstNew!.timestampMs);
    assert.deepEqual(await log.endOffsets(topic), ends);
    const left = await log.read(topic, 0, old[0]!, 10);
    assert.deepEqual(texts(left).slice(-3), ['new0', 'new1', 'new2']);
    assert.deepEqual((await log.startOffsets(topic))[0], left[0]!.offset);
    if (capabilities.exactTrim) assert.equal(left.length, 3);
    assert.deepEqual(await log.read(topic, 0, young[1]!, 1), left.slice(-2, -1));
    const other = await connect();
    assert.equal(other.epoch, log.epoch);
    assert.deepEqual(await other.endOffsets(topic), ends);
    await other.close();
  });

  test('trim of everything lets no offset be used twice and no timestamp fall', async (t) => {
    const { log, connect, capabilities } = bench();
    if (!capabilities.trimsNow) return t.skip('the adapter trims by its own clock');
    const topic = await newTopic(log, 2);
    await log.append(topic, numbered('old', 5));
    const before = (await readAll(log, topic)).at(-1)!;
    const ends = await log.endOffsets(topic);
    await log.trim(topic, Date.now() + 3_600_000);
    const other = await connect();
    assert.deepEqual(await other.endOffsets(topic), ends);
    const [offset] = await other.append(topic, [record('next')]);
    await other.close();
    assert.ok(offset! >= ends[0]!);
    const after = (await readAll(log, topic)).at(-1)!;
    assert.equal(after.value.toString(), 'next');
    assert.ok(after.timestampMs >= before.timestampMs);
  });

  test('offsetsByTime and follow work on what is left', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const old = await log.append(topic, numbered('old', 40));
    const [lastOld] = await log.read(topic, 0, old[39]!, 1);
    await clockPast(lastOld!.timestampMs);
    const [first] = await log.append(topic, [record('new')]);
    const [stored] = await log.read(topic, 0, first!, 1);
    await log.trim(topic, stored!.timestampMs);
    assert.deepEqual(await log.offsetsByTime(topic, 0), await log.startOffsets(topic));
    assert.deepEqual(await log.offsetsByTime(topic, stored!.timestampMs), [first]);
    assert.deepEqual(await log.offsetsByTime(topic, stored!.timestampMs + 1), await log.endOffsets(topic));
    const found: string[] = [];
    await using following = new Running((signal) =>
      log.follow(
        { topic, from: [0], onBatch: (records) => void found.push(...texts(records)), onGap: () => {} },
        signal,
      ),
    );
    await following.until('the record that is left', () => found.at(-1) === 'new');
  });

  test('deleteTopic removes the topic, its records and its commits, and nothing else', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 1);
    const neighbour = await newTopic(log, 1);
    const group = newGroup();
    const assignments = new Map<string, Assignment>();
    for (const name of [topic, neighbour]) await log.append(name, [record('x')]);
    await using member = new Running((signal) =>
      log.consume(
        {
          group,
          topics: [topic, neighbour],
          open: async (assignment) => {
            assignments.set(assignment.topic, assignment);
            return { process: async () => {} };
          },
        },
        signal,
      ),
    );
    await member.until('both topics', () => assignments.size === 2);
    for (const { commit } of assignments.values()) await commit(1, 'kept');
    await member.stop();

    await log.deleteTopic(topic);
    await rejectsWith('unknown-topic', log.partitionCount(topic));
    await rejectsWith('unknown-topic', log.read(topic, 0, 0, 1));
    await rejectsWith('unknown-topic', log.deleteTopic(topic));

    await log.createTopics([{ name: topic, partitions: 2 }]);
    assert.deepEqual(await log.endOffsets(topic), await log.startOffsets(topic));
    assert.deepEqual(await log.committed(group, topic), [null, null]);
    assert.equal((await log.append(topic, [record('y', 1)])).length, 1);
    assert.deepEqual(texts(await readAll(log, topic, 1)), ['y']);
    assert.deepEqual(await log.committed(group, neighbour), [{ offset: 1, metadata: 'kept' }]);
    assert.deepEqual(texts(await readAll(log, neighbour)), ['x']);
  });
}

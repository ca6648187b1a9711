import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newTopic, record, rejectsWith, type Bench } from './harness.ts';

export function topicTests(bench: () => Bench): void {
  test('createTopics makes topics with the partitions asked for', async () => {
    const { log } = bench();
    const one = await newTopic(log, 1);
    const twelve = await newTopic(log, 12);
    assert.equal(await log.partitionCount(one), 1);
    assert.equal(await log.partitionCount(twelve), 12);
    assert.deepEqual(await log.startOffsets(twelve), await log.endOffsets(twelve));
    assert.equal((await log.endOffsets(twelve)).length, 12);
  });

  test('createTopics again keeps what is there', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    await log.append(topic, [record('kept')]);
    await log.createTopics([{ name: topic, partitions: 2 }]);
    assert.equal((await log.read(topic, 0, 0, 10)).length, 1);
  });

  test('createTopics with another partition count is a topic-mismatch and changes nothing', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    await rejectsWith('topic-mismatch', log.createTopics([{ name: topic, partitions: 3 }]));
    assert.equal(await log.partitionCount(topic), 2);
  });

  test('an unknown topic is unknown-topic in every call', async () => {
    const { log } = bench();
    const topic = 'contract-never-made';
    await rejectsWith('unknown-topic', log.partitionCount(topic));
    await rejectsWith('unknown-topic', log.append(topic, [record('x')]));
    await rejectsWith('unknown-topic', log.read(topic, 0, 0, 1));
    await rejectsWith('unknown-topic', log.startOffsets(topic));
    await rejectsWith('unknown-topic', log.endOffsets(topic));
    await rejectsWith('unknown-topic', log.offsetsByTime(topic, 0));
    const { signal } = new AbortController();
    await rejectsWith('unknown-topic', log.follow({ topic, from: [0], onBatch: () => {} }, signal));
  });

  test('an unknown partition is unknown-partition', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    await rejectsWith('unknown-partition', log.read(topic, 2, 0, 1));
    await rejectsWith('unknown-partition', log.append(topic, [record('x', 2)]));
  });

  test('the epoch is the same for every instance', async () => {
    const { log, connect } = bench();
    const other = await connect();
    assert.equal(other.epoch, log.epoch);
    assert.notEqual(log.epoch, '');
    await other.close();
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxReadBytes } from '../event-log.ts';
import { clockPast, newTopic, numbered, readAll, record, texts, type Bench } from './harness.ts';

export function readTests(bench: () => Bench): void {
  test('read begins at the offset and gives at most maxRecords', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const offsets = await log.append(topic, numbered('r', 10));
    assert.deepEqual(texts(await log.read(topic, 0, offsets[4]!, 3)), ['r4', 'r5', 'r6']);
    assert.deepEqual(texts(await log.read(topic, 0, offsets[8]!, 100)), ['r8', 'r9']);
    assert.equal((await log.read(topic, 0, 0, 100)).length, 10);
  });

  test('an answer ends after so many bytes, and reading continues where it ended', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const large = Array.from({ length: 20 }, (_, i) => ({
      ...record(`${i}`),
      value: Buffer.alloc(700_000, i),
    }));
    for (const each of large) await log.append(topic, [each]);
    const found: number[] = [];
    for (let next = 0; ;) {
      const records = await log.read(topic, 0, next, 1000);
      if (records.length === 0) break;
      assert.ok(records.reduce((sum, { value }) => sum + value.length, 0) < 2 * maxReadBytes);
      found.push(...records.map(({ value }) => value[0]!));
      next = records.at(-1)!.offset + 1;
    }
    assert.deepEqual(
      found,
      large.map(({ value }) => value[0]),
    );
  });

  test('read at and past the end gives nothing', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    assert.deepEqual(await log.read(topic, 0, 0, 10), []);
    await log.append(topic, [record('x')]);
    const [end] = await log.endOffsets(topic);
    assert.deepEqual(await log.read(topic, 0, end!, 10), []);
    assert.deepEqual(await log.read(topic, 0, end! + 1000, 10), []);
  });

  test('start and end offsets enclose the records of each partition', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 3);
    const offsets = await log.append(topic, [record('a', 0), record('b', 0), record('c', 2)]);
    const start = await log.startOffsets(topic);
    const end = await log.endOffsets(topic);
    assert.equal(start[0], offsets[0]);
    assert.equal(start[1], end[1]);
    assert.equal(start[2], offsets[2]);
    assert.ok(end[0]! > offsets[1]! && end[2]! > offsets[2]!);
    const [next] = await log.append(topic, [record('d', 0)]);
    assert.ok(next! >= end[0]!);
  });

  test('another instance reads what was appended', async () => {
    const { log, connect } = bench();
    const topic = await newTopic(log);
    await log.append(topic, numbered('r', 3));
    const other = await connect();
    assert.deepEqual(texts(await readAll(other, topic)), ['r0', 'r1', 'r2']);
    assert.deepEqual(await other.endOffsets(topic), await log.endOffsets(topic));
    await other.close();
  });

  test('timestamps are milliseconds since 1970 and never fall', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    for (let i = 0; i < 20; i++) await log.append(topic, numbered('r', 3));
    const times = (await readAll(log, topic)).map((r) => r.timestampMs);
    assert.ok(times.every((t, i) => Number.isInteger(t) && (i === 0 || t >= times[i - 1]!)));
    // A clock may be off by a day, a unit by a factor of a thousand.
    assert.ok(Math.abs(times[0]! - Date.now()) < 86_400_000);
  });

  test('offsetsByTime gives the first offset at or after a time, per partition', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    const waves: { timestamp: number; offset: number }[] = [];
    for (let i = 0; i < 5; i++) {
      const [first, last] = await log.append(topic, [record('first'), record('last')]);
      const [stored] = await log.read(topic, 0, first!, 1);
      waves.push({ timestamp: stored!.timestampMs, offset: first! });
      const [end] = await log.read(topic, 0, last!, 1);
      await clockPast(end!.timestampMs + 2);
    }
    const [end, emptyEnd] = await log.endOffsets(topic);
    const at = async (time: number): Promise<number[]> => log.offsetsByTime(topic, time);
    assert.deepEqual(await at(0), [waves[0]!.offset, emptyEnd]);
    for (const [i, { timestamp, offset }] of waves.entries()) {
      assert.deepEqual(await at(timestamp), [offset, emptyEnd], 'exact');
      assert.deepEqual(await at(timestamp - 1), [offset, emptyEnd], 'between');
      const [, last] = await log.read(topic, 0, offset, 2);
      assert.deepEqual(await at(last!.timestampMs + 1), [waves[i + 1]?.offset ?? end, emptyEnd], 'after');
    }
    assert.deepEqual(await at(Date.now() + 86_400_000), [end, emptyEnd]);
  });
}

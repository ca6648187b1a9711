import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord, NewRecord } from '../event-log.ts';
import { newTopic, numbered, readAll, record, texts, type Bench } from './harness.ts';

const plain = ({ key, value, headers }: NewRecord | LogRecord): unknown => ({
  key,
  value: value.toString('hex'),
  headers: { ...headers },
});

export function appendTests(bench: () => Bench): void {
  test('append gives the offsets in the order given and keeps the order of each partition', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 3);
    const given: NewRecord[] = [];
    const offsets: number[] = [];
    for (const size of [1, 7, 1, 100]) {
      const batch = Array.from({ length: size }, (_, i) => record(`${given.length + i}`, (i * 7) % 3));
      given.push(...batch);
      offsets.push(...(await log.append(topic, batch)));
    }
    for (let partition = 0; partition < 3; partition++) {
      const expected = given.flatMap((r, i) =>
        r.partition === partition ? [[offsets[i], r.value.toString()]] : [],
      );
      const found = await readAll(log, topic, partition);
      assert.deepEqual(
        found.map((r) => [r.offset, r.value.toString()]),
        expected,
      );
      assert.ok(found.every((r, i) => i === 0 || r.offset > found[i - 1]!.offset));
      assert.ok(found.every((r) => r.topic === topic && r.partition === partition));
    }
  });

  test('any records come back as they were appended', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const records = fc.array(
      fc.record(
        {
          partition: fc.nat(1),
          key: fc.option(text),
          value: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
          headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), text, {
            maxKeys: 3,
            noNullPrototype: true,
          }),
        },
        { requiredKeys: ['partition', 'key', 'value'] },
      ),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(records, async (batch) => {
        const from = await log.endOffsets(topic);
        await log.append(topic, batch);
        for (const partition of [0, 1]) {
          const found = await log.read(topic, partition, from[partition]!, 100);
          assert.deepEqual(
            found.map(plain),
            batch.filter((r) => r.partition === partition).map((r) => plain(r as NewRecord)),
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  test('append takes 5,000 records at once', async () => {
    const { log } = bench();
    const topic = await newTopic(log, 2);
    const batch = [...numbered('a', 2500, 0), ...numbered('b', 2500, 1)];
    const offsets = await log.append(topic, batch);
    assert.equal(offsets.length, 5000);
    const found = [...(await readAll(log, topic, 0, 700)), ...(await readAll(log, topic, 1, 700))];
    assert.deepEqual(texts(found), texts(batch as unknown as LogRecord[]));
    assert.deepEqual(
      found.map((r) => r.offset),
      offsets,
    );
  });

  test('append of nothing stores nothing', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    assert.deepEqual(await log.append(topic, []), []);
    assert.deepEqual(await log.endOffsets(topic), await log.startOffsets(topic));
  });

  test('keys, values and headers at the edges come back', async () => {
    const { log } = bench();
    const topic = await newTopic(log);
    const allBytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const batch: NewRecord[] = [
      { partition: 0, key: null, value: Buffer.alloc(1 << 20, allBytes) },
      { partition: 0, key: '', value: Buffer.alloc(0) },
      { partition: 0, key: 'naïve – 漢字 – 👩‍🚀', value: allBytes },
      { partition: 0, key: 'k'.repeat(10_000), value: Buffer.from('x'), headers: {} },
      { partition: 0, key: 'h', value: Buffer.from('y'), headers: { empty: '', 'ünï"\\': '漢字\n' } },
    ];
    await log.append(topic, batch);
    assert.deepEqual((await readAll(log, topic)).map(plain), batch.map(plain));
  });

  test('instances that append at once lose nothing and keep the order of each', async () => {
    const { log, connect } = bench();
    const topic = await newTopic(log, 2);
    const other = await connect();
    const write = async (instance: typeof log, name: string): Promise<void> => {
      for (let i = 0; i < 40; i++)
        await instance.append(topic, [record(`${name}-${i}`, 0), record(`${name}-${i}`, 1)]);
    };
    await Promise.all([write(log, 'a'), write(other, 'b')]);
    await other.close();
    for (const partition of [0, 1]) {
      const found = texts(await readAll(log, topic, partition));
      assert.equal(found.length, 80);
      for (const name of ['a', 'b']) {
        assert.deepEqual(
          found.filter((text) => text.startsWith(name)),
          Array.from({ length: 40 }, (_, i) => `${name}-${i}`),
        );
      }
    }
  });
}

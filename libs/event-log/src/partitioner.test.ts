import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2, partitionOf } from './partitioner.ts';

// From Kafka's org.apache.kafka.common.utils.UtilsTest#testMurmur2.
const kafkaVectors: readonly [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

for (const [text, hash] of kafkaVectors) {
  test(`murmur2 of '${text}' is Kafka's`, () => {
    assert.equal(murmur2(Buffer.from(text)), hash);
  });
}

test('murmur2 is a signed 32-bit integer for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const hash = murmur2(bytes);
      assert.equal(hash, hash | 0);
    }),
  );
});

test('a key has one partition, and it exists', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1000 }), (key, partitions) => {
      const partition = partitionOf(key, partitions);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
      assert.equal(partitionOf(key, partitions), partition);
    }),
  );
});

test("a key goes where Kafka's own producer puts it", () => {
  // (-973932308 & 0x7fffffff) % 12 and (479470107 & 0x7fffffff) % 12
  assert.equal(partitionOf('21', 12), 0);
  assert.equal(partitionOf('abc', 12), 3);
});

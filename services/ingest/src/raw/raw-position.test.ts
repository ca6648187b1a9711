import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEndOffsets, encodeEndOffsets, writtenOffsets } from './raw-position.ts';

const offset = fc.integer({ min: 0, max: 2 ** 50 });

test('end offsets come back as they were when they fit', () => {
  fc.assert(
    fc.property(fc.array(offset, { minLength: 1, maxLength: 64 }), (offsets) => {
      assert.deepEqual(decodeEndOffsets(encodeEndOffsets(offsets), offsets.length), offsets);
    }),
  );
});

test('with very many partitions they fit, and none comes back higher', () => {
  fc.assert(
    fc.property(fc.array(offset, { minLength: 1024, maxLength: 1024 }), (offsets) => {
      const text = encodeEndOffsets(offsets);
      assert.ok(Buffer.byteLength(text) <= 4096);
      const decoded = decodeEndOffsets(text, offsets.length)!;
      assert.ok(decoded.every((found, i) => found <= offsets[i]!));
    }),
    { numRuns: 20 },
  );
});

test('metadata of another kind or count is not taken', () => {
  for (const text of ['', 'x', '0:', '0:1.2', '0:1.2.3.4', '{"a":1}'])
    assert.equal(decodeEndOffsets(text, 3), undefined, text);
});

test('only the raw partition and the offsets in question count', () => {
  const source = (kind: string, topic: string, partition: number, at: number, index = 0) => ({
    kind,
    topic,
    partition,
    offset: at,
    index,
  });
  const sources = [
    source('kafka', 'logs.raw', 1, 4),
    source('kafka', 'logs.raw', 1, 5),
    source('kafka', 'logs.raw', 2, 6),
    source('http', 'logs.raw', 1, 7),
    source('kafka', 'other', 1, 8),
    source('kafka', 'logs.raw', 1, 9, 2),
    source('kafka', 'logs.raw', 1, 9, 0),
  ];
  const written = writtenOffsets(sources, { topic: 'logs.raw', partition: 1 }, 5);
  assert.deepEqual(
    [...written].map(([at, indexes]) => [at, [...indexes]]),
    [
      [5, [0]],
      [9, [2, 0]],
    ],
  );
});

import fc from 'fast-check';
import kafkajs from 'kafkajs';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { registerCodecs } from './codecs/codecs.ts';
import { readBatches } from './record-batch.ts';

// kafkajs writes what is read here: the other side of the format, made by others.
const require = createRequire(import.meta.url);
interface Encoded {
  buffer: Buffer;
}
interface Header {
  compression?: number;
  firstOffset: bigint;
  firstTimestamp: number;
  maxTimestamp: number;
  lastOffsetDelta: number;
  transactional?: boolean;
  producerId?: bigint;
  records: Encoded[];
}
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (header: Header) => Promise<Encoded>;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: {
  offsetDelta: number;
  timestampDelta: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | Buffer[] | string>;
}) => Encoded;
registerCodecs();

const place = { topic: 'logs.events', partition: 3 };
const appendTime = 0x08;
const control = 0x20;

/** A batch with a record at each of these deltas, its attributes changed as a broker or a coordinator does. */
async function batchOf(
  baseOffset: number,
  values: readonly string[],
  { flags = 0, producerId = -1, transactional = false, key = null as Buffer | null } = {},
): Promise<Buffer> {
  const records = values.map((value, i) =>
    encodeRecord({ offsetDelta: i, timestampDelta: i, key, value: Buffer.from(value), headers: {} }),
  );
  const { buffer } = await RecordBatch({
    firstOffset: BigInt(baseOffset),
    firstTimestamp: 1_000,
    maxTimestamp: 9_000,
    lastOffsetDelta: values.length - 1,
    producerId: BigInt(producerId),
    transactional,
    records,
  });
  buffer.writeInt16BE(buffer.readInt16BE(21) | flags, 21);
  return buffer;
}

const marker = (baseOffset: number, producerId: number, type: 'abort' | 'commit'): Promise<Buffer> =>
  batchOf(baseOffset, ['any'], {
    flags: control,
    producerId,
    transactional: true,
    key: Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]),
  });

const textsOf = (records: readonly { value: Buffer }[]): string[] =>
  records.map(({ value }) => value.toString());

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'binary', maxLength: 40 });

test('reads what kafkajs writes: any keys, values, headers, times, offsets and codecs', async () => {
  const record = fc.record({
    key: fc.option(text),
    value: fc.option(bytes),
    headers: fc.dictionary(text, text, { maxKeys: 3 }),
    timestampDelta: fc.nat(2 ** 40),
  });
  const { None, GZIP, ZSTD } = kafkajs.CompressionTypes;
  const batch = fc.record({
    records: fc.array(record, { minLength: 1, maxLength: 20 }),
    compression: fc.constantFrom(None, GZIP, ZSTD),
    gap: fc.nat(2 ** 40),
    firstTimestamp: fc.nat(2 ** 41),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(batch, { maxLength: 4 }),
      fc.nat(),
      fc.integer({ min: 1, max: 30 }),
      async (batches, cut, pieceRecords) => {
        const parts: Buffer[] = [];
        const written = [];
        let next = 0;
        for (const { records, compression, gap, firstTimestamp } of batches) {
          const encoded = records.map(({ key, headers, ...rest }, offsetDelta) =>
            encodeRecord({ ...rest, offsetDelta, key: key === null ? null : Buffer.from(key), headers }),
          );
          const header = { compression, firstOffset: BigInt(next + gap), firstTimestamp, maxTimestamp: 5 };
          const { buffer } = await RecordBatch({
            ...header,
            lastOffsetDelta: records.length - 1,
            records: encoded,
          });
          parts.push(buffer);
          for (const [i, { key, value, headers, timestampDelta }] of records.entries())
            written.push({
              ...place,
              offset: next + gap + i,
              timestampMs: firstTimestamp + timestampDelta,
              key,
              value: value ?? Buffer.alloc(0),
              headers,
            });
          next += gap + records.length;
        }
        const all = Buffer.concat(parts);
        const found = readBatches(all, { ...place, offset: 0 });
        assert.deepEqual(
          found.records.map((r) => ({ ...r, headers: { ...r.headers } })),
          written.map((r) => ({ ...r, headers: { ...r.headers } })),
        );
        assert.equal(found.nextOffset, next);

        // An answer that ends within its last batch, and a position within a batch.
        const part = readBatches(all.subarray(0, all.length === 0 ? 0 : cut % all.length), {
          ...place,
          offset: 0,
        });
        assert.deepEqual(
          [...part.records, ...readBatches(all, { ...place, offset: part.nextOffset }).records].map(
            ({ offset }) => offset,
          ),
          written.map(({ offset }) => offset),
        );
        const middle = written[cut % written.length]?.offset ?? 0;
        assert.deepEqual(
          readBatches(all, { ...place, offset: middle }).records.map(({ offset }) => offset),
          written.map(({ offset }) => offset).filter((offset) => offset >= middle),
        );

        // In pieces of so many records: each continues where the one before ended.
        const inPieces: number[] = [];
        for (let from = 0; ;) {
          const piece = readBatches(all, { ...place, offset: from }, [], pieceRecords);
          assert.ok(piece.records.length <= pieceRecords);
          inPieces.push(...piece.records.map(({ offset }) => offset));
          if (piece.records.length === 0) break;
          from = piece.nextOffset;
        }
        assert.deepEqual(
          inPieces,
          written.map(({ offset }) => offset),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('batches beyond the wanted records are not unpacked', async () => {
  const [first, second] = [await batchOf(0, ['a', 'b']), await batchOf(2, ['c', 'd'])];
  // A codec that does not exist: unpacking it would throw.
  second.writeInt16BE(second.readInt16BE(21) | 0x07, 21);
  const all = Buffer.concat([first, second]);
  const found = readBatches(all, { ...place, offset: 0 }, [], 2);
  assert.deepEqual(textsOf(found.records), ['a', 'b']);
  assert.deepEqual([found.nextOffset, found.packedBytes], [2, first.length]);
  assert.deepEqual(textsOf(readBatches(all, { ...place, offset: 1 }, [], 1).records), ['b']);
  assert.throws(() => readBatches(all, { ...place, offset: 0 }, [], 3), /codec/);
});

test("all records have the log's time where the topic says so", async () => {
  const { records } = readBatches(await batchOf(5, ['a', 'b'], { flags: appendTime }), {
    ...place,
    offset: 5,
  });
  assert.deepEqual(
    records.map(({ timestampMs: timestamp }) => timestamp),
    [9_000, 9_000],
  );
});

test('aborted transactions and markers are left out, and the position goes beyond them', async () => {
  const log = Buffer.concat([
    await batchOf(0, ['plain']),
    await batchOf(1, ['aborted 1', 'aborted 2'], { transactional: true, producerId: 7 }),
    await batchOf(3, ['committed'], { transactional: true, producerId: 8 }),
    await marker(4, 7, 'abort'),
    await marker(5, 8, 'commit'),
    await batchOf(6, ['after the abort'], { transactional: true, producerId: 7 }),
    await batchOf(7, ['aborted 3'], { transactional: true, producerId: 8 }),
    await marker(8, 7, 'commit'),
    await marker(9, 8, 'abort'),
  ]);
  const aborted = [
    { producerId: 8, firstOffset: 7 },
    { producerId: 7, firstOffset: 1 },
  ];
  const found = readBatches(log, { ...place, offset: 0 }, aborted);
  assert.deepEqual(textsOf(found.records), ['plain', 'committed', 'after the abort']);
  assert.equal(found.nextOffset, 10);
});

test('the last of several headers of one name counts', async () => {
  const headers = { a: [Buffer.from('first'), Buffer.from('last')] };
  const record = encodeRecord({ offsetDelta: 0, timestampDelta: 0, key: null, value: null, headers });
  const { buffer } = await RecordBatch({
    firstOffset: 0n,
    firstTimestamp: 1,
    maxTimestamp: 1,
    lastOffsetDelta: 0,
    records: [record],
  });
  assert.deepEqual(readBatches(buffer, { ...place, offset: 0 }).records[0]!.headers, { a: 'last' });
});

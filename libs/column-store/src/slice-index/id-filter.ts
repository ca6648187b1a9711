import { closeSync, openSync, readSync } from 'node:fs';

/** The columns whose values the filters of ids know. */
export const idColumns = ['trace_id', 'span_id', 'correlation_id'] as const;
export type IdColumn = (typeof idColumns)[number];

/**
 * A split block Bloom filter as Parquet has them: a value sets eight bits of one bucket of 32 bytes. With 16 bits a value, about one in a
 * thousand other values is taken for one of them: each costs the reading of a block.
 */
const bucketBytes = 32;
const bitsPerValue = 16;
const salts = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
] as const;

/** What a value hashes to: the bucket's choice and the bits. */
export interface IdHash {
  bucket: number;
  bits: number;
}

export function hashId(column: IdColumn, value: string): IdHash {
  let a = idColumns.indexOf(column) + 1;
  let b = 0x811c9dc5;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    // A line break counts as a space: values come joined by line breaks.
    const unit = code === 0x0a ? 0x20 : code;
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995) ^ (b >>> 15);
  }
  return { bucket: mix(a ^ b) >>> 0, bits: mix(b + Math.imul(a, 0x9e3779b1)) };
}

function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The filters of all blocks of a slice: bucket after bucket, each with that bucket of every block, so that a look-up is one read. */
export function buildIdFilters(blocks: readonly (readonly IdHash[])[]): { buckets: number; bytes: Buffer } {
  const most = Math.max(1, ...blocks.map((hashes) => hashes.length));
  const buckets = Math.ceil((most * bitsPerValue) / (8 * bucketBytes));
  const bytes = Buffer.alloc(buckets * blocks.length * bucketBytes);
  for (const [block, hashes] of blocks.entries())
    for (const { bucket, bits } of hashes) {
      const start = ((bucket % buckets) * blocks.length + block) * bucketBytes;
      for (const [i, salt] of salts.entries()) {
        const bit = Math.imul(bits, salt) >>> 27;
        const at = start + 4 * i + (bit >>> 3);
        bytes[at] = bytes[at]! | (1 << (bit & 7));
      }
    }
  return { buckets, bytes };
}

/** The blocks that may hold the value, by their numbers. */
export function blocksWithId(
  path: string,
  { start, buckets, blocks }: { start: number; buckets: number; blocks: number },
  { bucket, bits }: IdHash,
): number[] {
  const bytes = Buffer.alloc(blocks * bucketBytes);
  const file = openSync(path, 'r');
  try {
    const read = readSync(file, bytes, 0, bytes.length, start + (bucket % buckets) * bytes.length);
    // What is missing could have said anything.
    if (read < bytes.length) bytes.fill(0xff);
  } finally {
    closeSync(file);
  }
  const found: number[] = [];
  for (let block = 0; block < blocks; block++) {
    const isHeld = salts.every((salt, i) => {
      const bit = Math.imul(bits, salt) >>> 27;
      return (bytes[block * bucketBytes + 4 * i + (bit >>> 3)]! & (1 << (bit & 7))) !== 0;
    });
    if (isHeld) found.push(block);
  }
  return found;
}

import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { promisify } from 'node:util';

/** How a row holds its records; stored with it. `plain` is what releases before compression wrote. */
export const batchFormats = {
  plain: 0,
  /** One zstd frame of what `plain` holds. */
  compressed: 1,
  /** One zstd frame of the append times (see writeRuns) and what `plain` holds. */
  joined: 2,
} as const;

export type BatchFormat = (typeof batchFormats)[keyof typeof batchFormats];

/** Below this many bytes, compressing costs an append more than writing does, and the row is joined with others later. */
const smallest = 2048;
/** Appends wait for it: higher levels save a tenth, and take three times as long. */
const appendLevel = 1;
const joinLevel = 6;
/** zstd wants room behind the last byte to see that it was the last. */
const spareBytes = 64;
const compressAsync = promisify(zstdCompress);

/** What a row holds: its format, its bytes, and how many they are unpacked. */
export interface Packed {
  format: BatchFormat;
  records: Uint8Array;
  size: number;
}

/** Packs the records of one append. */
export function pack(records: Buffer): Packed {
  const size = records.length;
  if (size >= smallest) {
    const packed = zstdCompressSync(records, options(appendLevel, size));
    if (packed.length < size * 0.9) return { format: batchFormats.compressed, records: packed, size };
  }
  return { format: batchFormats.plain, records, size };
}

/** Packs a joined batch, on a thread of libuv's. */
export async function packJoined(records: Buffer): Promise<Packed> {
  const size = records.length;
  return {
    format: batchFormats.joined,
    records: await compressAsync(records, options(joinLevel, size)),
    size,
  };
}

/** The same without leaving the thread, for the cut that trimming makes. */
export function packJoinedNow(records: Buffer): Packed {
  const size = records.length;
  return {
    format: batchFormats.joined,
    records: zstdCompressSync(records, options(appendLevel, size)),
    size,
  };
}

/** Throws zlib's error where the bytes are not what pack() made, or not of this size. */
export function unpack({ format, records, size }: Packed): Buffer {
  if (format === batchFormats.plain)
    return Buffer.from(records.buffer, records.byteOffset, records.byteLength);
  const bytes = zstdDecompressSync(records, {
    chunkSize: size + spareBytes,
    maxOutputLength: size + spareBytes,
  });
  if (bytes.length !== size) throw new RangeError(`a batch has ${bytes.length} bytes, not ${size}`);
  return bytes;
}

function options(level: number, size: number) {
  return {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: size,
    chunkSize: Math.max(1024, size >> 2),
  };
}

import kafkajs from 'kafkajs';
import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { decompressLz4 } from './lz4-frame.ts';
import { decompressSnappy } from './snappy-blocks.ts';

/** Compression types of kafkajs, by the name in our options. */
export const compressionTypes = {
  zstd: kafkajs.CompressionTypes.ZSTD,
  gzip: kafkajs.CompressionTypes.GZIP,
  none: kafkajs.CompressionTypes.None,
} as const;

// Level 1: a batch of log events gets within a few percent of level 3 in half the time.
const params = { [constants.ZSTD_c_compressionLevel]: 1 };

/** Registers Node's zstd with kafkajs, once for the whole process: the packages that kafkajs suggests need a native build. */
export function registerCodecs(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: async (encoder: { buffer: Buffer }) => zstdCompressSync(encoder.buffer, { params }),
    decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
  });
}

/** A batch is at most 16 MiB packed; what is unpacked from one is held in memory as a whole. */
const maxUnpackedBytes = 1 << 30;

/** Unpacks what a batch's attributes say it is packed with: by any client, in any codec that Kafka has. */
export function decompress(type: kafkajs.CompressionTypes, bytes: Buffer): Buffer {
  switch (type) {
    case kafkajs.CompressionTypes.None:
      return bytes;
    case kafkajs.CompressionTypes.GZIP:
      return gunzipSync(bytes);
    case kafkajs.CompressionTypes.Snappy:
      return decompressSnappy(bytes);
    case kafkajs.CompressionTypes.LZ4:
      return decompressLz4(bytes, maxUnpackedBytes);
    case kafkajs.CompressionTypes.ZSTD:
      return zstdDecompressSync(bytes);
    default:
      throw new Error(`records are packed in a codec that is not known: ${String(type)}`);
  }
}

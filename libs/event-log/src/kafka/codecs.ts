import kafkajs from 'kafkajs';
import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

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

/** Decompresses a batch by the codec in its attributes. Throws for Snappy and LZ4: Logloom's topics recompress those. */
export function decompress(type: kafkajs.CompressionTypes, bytes: Buffer): Buffer {
  switch (type) {
    case kafkajs.CompressionTypes.None:
      return bytes;
    case kafkajs.CompressionTypes.GZIP:
      return gunzipSync(bytes);
    case kafkajs.CompressionTypes.ZSTD:
      return zstdDecompressSync(bytes);
    default:
      throw new Error(
        `records in ${kafkajs.CompressionTypes[type] ?? type} cannot be read: set compression.type=zstd`,
      );
  }
}

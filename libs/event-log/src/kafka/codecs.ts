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

/** Gives kafkajs the zstd of Node; the packages that it names for it need a native build. For the whole process, once. */
export function registerCodecs(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: async (encoder: { buffer: Buffer }) => zstdCompressSync(encoder.buffer, { params }),
    decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
  });
}

/** Unpacks what a batch's attributes say it is packed with. Throws where it is Snappy or LZ4: a topic of ours recompresses those. */
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

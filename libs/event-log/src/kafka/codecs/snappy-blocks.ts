import { uncompressSync } from 'snappy';

/** What snappy-java writes before its blocks; others, such as librdkafka, write one block and no more. */
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, a version and the oldest version that can read it. */
const headBytes = 16;

/** Unpacks Snappy, as Kafka's own clients and others write it. Throws for bytes that are neither. */
export function decompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, magic.length).equals(magic)) return unpacked(bytes);
  const blocks: Buffer[] = [];
  for (let at = headBytes; at < bytes.length;) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > bytes.length) throw new RangeError('the bytes are no Snappy blocks');
    blocks.push(unpacked(bytes.subarray(at, at + length)));
    at += length;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
}

function unpacked(block: Buffer): Buffer {
  return uncompressSync(block, { asBuffer: true }) as Buffer;
}

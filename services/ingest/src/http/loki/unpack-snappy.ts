import { uncompress } from 'snappy';
import { IngestError } from '../../errors.ts';

/**
 * Unpacks a body in snappy's block format on another thread. Its first bytes declare the unpacked length, which is claimed before any
 * memory is allocated. Throws IngestError `bad-encoding`, and what `claim` throws.
 */
export async function unpackSnappy(packed: Buffer, claim: (bytes: number) => void): Promise<Buffer> {
  const length = readVarint(packed);
  if (length === undefined) throw new IngestError('bad-encoding', 'the body is not packed with snappy');
  claim(length);
  try {
    return (await uncompress(packed, { asBuffer: true })) as Buffer;
  } catch (error) {
    throw new IngestError('bad-encoding', `the snappy body is broken: ${(error as Error).message}`);
  }
}

/** Reads the length at the start: up to 32 bits, seven per byte, the lowest first. */
function readVarint(bytes: Buffer): number | undefined {
  let value = 0;
  for (let i = 0; i < 5 && i < bytes.length; i++) {
    value += (bytes[i]! & 0x7f) * 2 ** (7 * i);
    if (bytes[i]! < 0x80) return value;
  }
  return undefined;
}

const magic = 0x184d2204;
const flags = { blockChecksum: 0x10, contentSize: 0x08, contentChecksum: 0x04, dictionary: 0x01 };
const plainBlock = 0x8000_0000;
const minMatch = 4;

/**
 * Unpacks LZ4 frames, one after the other. Checksums are not looked at: a batch of Kafka has one of its own. Throws RangeError for bytes
 * that are no frame, and when the result would be larger than `maxBytes`.
 * Source: LZ4 Frame Format 1.6.4 and LZ4 Block Format, https://github.com/lz4/lz4/tree/dev/doc.
 */
export function decompressLz4(bytes: Buffer, maxBytes: number): Buffer {
  const output = new Output(Math.min(maxBytes, Math.max(1024, bytes.length * 4)), maxBytes);
  for (let at = 0; at < bytes.length;) at = readFrame(bytes, at, output);
  return output.written();
}

/** Returns where the next frame begins. */
function readFrame(bytes: Buffer, start: number, output: Output): number {
  if (start + 7 > bytes.length || bytes.readUInt32LE(start) !== magic) throw broken();
  const flag = bytes[start + 4]!;
  if (flag >> 6 !== 1 || (flag & flags.dictionary) !== 0) throw broken();
  let at = start + 7 + (flag & flags.contentSize ? 8 : 0);
  // A match may reach into an earlier block of the same frame, and no further.
  const frameStart = output.size;
  for (;;) {
    if (at + 4 > bytes.length) throw broken();
    const head = bytes.readUInt32LE(at);
    at += 4;
    if (head === 0) break;
    const length = head % plainBlock;
    if (at + length > bytes.length) throw broken();
    if (head >= plainBlock) output.append(bytes, at, at + length);
    else readBlock(bytes, at, at + length, output, frameStart);
    at += length + (flag & flags.blockChecksum ? 4 : 0);
  }
  return at + (flag & flags.contentChecksum ? 4 : 0);
}

/** Sequences of literal bytes, each followed by a match: bytes that were written before. The last one has no match. */
function readBlock(bytes: Buffer, start: number, end: number, output: Output, frameStart: number): void {
  let at = start;
  /** Lengths of 15 go on in further bytes, until one is not 255. */
  const longLength = (length: number): number => {
    let total = length;
    for (let byte = length === 15 ? 255 : 0; byte === 255; total += byte) {
      if (at >= end) throw broken();
      byte = bytes[at++]!;
    }
    return total;
  };
  while (at < end) {
    const token = bytes[at++]!;
    const literals = longLength(token >> 4);
    if (at + literals > end) throw broken();
    output.append(bytes, at, at + literals);
    at += literals;
    if (at === end) return;
    if (at + 2 > end) throw broken();
    const distance = bytes.readUInt16LE(at);
    at += 2;
    if (distance === 0 || distance > output.size - frameStart) throw broken();
    output.repeat(distance, longLength(token & 15) + minMatch);
  }
  throw broken();
}

class Output {
  size = 0;
  #bytes: Buffer;
  readonly #maxBytes: number;

  constructor(firstBytes: number, maxBytes: number) {
    this.#bytes = Buffer.allocUnsafe(firstBytes);
    this.#maxBytes = maxBytes;
  }

  append(source: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    source.copy(this.#bytes, this.size, from, to);
    this.size += to - from;
  }

  /** Appends `length` bytes that begin so far back; they may overlap with what they make. */
  repeat(distance: number, length: number): void {
    this.#reserve(length);
    const [bytes, start, from] = [this.#bytes, this.size, this.size - distance];
    if (distance >= length) bytes.copyWithin(start, from, from + length);
    else for (let i = 0; i < length; i++) bytes[start + i] = bytes[from + i]!;
    this.size += length;
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }

  #reserve(count: number): void {
    const needed = this.size + count;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#maxBytes) throw new RangeError(`LZ4: more than ${this.#maxBytes} bytes`);
    const larger = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(needed, this.#bytes.length * 2)));
    this.#bytes.copy(larger, 0, 0, this.size);
    this.#bytes = larger;
  }
}

function broken(): RangeError {
  return new RangeError('the bytes are no LZ4 frame');
}

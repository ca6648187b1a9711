export type Utf16 = 'utf-16le' | 'utf-16be';

/** Whether a file that begins with these bytes is UTF-16: it has a byte order mark, or every second byte of its first text is zero. */
export function utf16Of(head: Buffer): Utf16 | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const length = head.length - (head.length % 2);
  if (length < 8) return undefined;
  let [evenZeros, oddZeros] = [0, 0];
  for (let i = 0; i < length; i += 2) {
    if (head[i] === 0) evenZeros++;
    if (head[i + 1] === 0) oddZeros++;
  }
  if (evenZeros === 0 && oddZeros > length / 4) return 'utf-16le';
  return oddZeros === 0 && evenZeros > length / 4 ? 'utf-16be' : undefined;
}

/** The stream in UTF-8; unchanged without an encoding, where the first piece decides. */
export async function* decodeUtf16(
  stream: AsyncIterable<Buffer>,
  encoding: Utf16 | undefined,
): AsyncGenerator<Buffer> {
  let known = encoding;
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let isFirst = true;
  for await (const piece of stream) {
    if (isFirst) {
      known ??= utf16Of(piece.subarray(0, 64));
      if (known !== undefined) decoder = new TextDecoder(known);
      isFirst = false;
    }
    if (decoder === undefined) yield piece;
    else yield Buffer.from(decoder.decode(piece, { stream: true }));
  }
  if (decoder !== undefined) yield Buffer.from(decoder.decode());
}

/** A decoded text, with the place in the original text where each of its UTF-16 units begins, and where the last one ends. */
export interface DecodedText {
  text: string;
  /** One more than the text has units. */
  starts: Uint32Array;
}

/** How many times a text may be encoded: a URL in a parameter of a URL in another. */
const maxRounds = 3;
const escapes = /(?:%[\da-f]{2})+/gi;

/**
 * Undoes the percent-encoding of a URL or a form (RFC 3986, and `+` for a space). Returns undefined when nothing is encoded. Bytes that are
 * not UTF-8 become U+FFFD.
 */
export function decodeEscapes(encoded: string): DecodedText | undefined {
  let decoded: DecodedText | undefined;
  if (encoded.includes('+'))
    decoded = { text: encoded.replaceAll('+', ' '), starts: identity(encoded.length + 1) };
  for (let round = 0; round < maxRounds; round++) {
    const next = decodeOnce(decoded ?? { text: encoded, starts: identity(encoded.length + 1) });
    if (next === undefined) break;
    decoded = next;
  }
  return decoded;
}

function decodeOnce({ text, starts }: DecodedText): DecodedText | undefined {
  let result = '';
  const places = new Uint32Array(text.length + 1);
  let length = 0;
  let copied = 0;
  const copy = (to: number): void => {
    result += text.slice(copied, to);
    for (; copied < to; copied++) places[length++] = starts[copied]!;
  };
  for (const { 0: run, index } of text.matchAll(escapes)) {
    copy(index);
    let at = index;
    for (const character of Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8')) {
      result += character;
      for (let unit = 0; unit < character.length; unit++) places[length++] = starts[at]!;
      at = Math.min(at + 3 * Buffer.byteLength(character), index + run.length - 3);
    }
    copied = index + run.length;
  }
  if (copied === 0) return undefined;
  copy(text.length);
  places[length++] = starts[text.length]!;
  return { text: result, starts: places.subarray(0, length) };
}

function identity(length: number): Uint32Array {
  const places = new Uint32Array(length);
  for (let i = 0; i < length; i++) places[i] = i;
  return places;
}

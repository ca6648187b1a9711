/** Returns a generator of numbers below `below`, the same ones for the same seed (xorshift32). */
export type Random = (below: number) => number;

export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Bytes with a meaning in JSON, protobuf, UTF-8 or numbers, and our own names. */
const tokens = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\n',
  '\r\n',
  '\0',
  'null',
  '-',
  '1e999',
  '0',
  '{}',
  '[]',
  '""',
  '\\ud800',
  '\\u0000',
  '"__proto__":1,',
  '"attributes":{},',
  '"time":-1,',
  '"level":{},',
  '{"index":{}}\n',
  '9'.repeat(30),
  '['.repeat(200),
  '{"a":'.repeat(100),
  '"stringValue"',
  '"values":',
  '�',
].map((token) => Buffer.from(token));
const bytes = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0x80],
  [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x0a, 0x00],
  [0x12, 0x00],
  [0x0b],
  [0x0c],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
].map((token) => Buffer.from(token));
const interesting = [...tokens, ...bytes];

/** Returns the bytes with one to eight changes; foreign parts come from `other`. */
export function mutate(original: Buffer, other: Buffer, random: Random): Buffer {
  let changed: Buffer = Buffer.from(original);
  for (let changes = 1 << random(4); changes > 0; changes--) changed = change(changed, other, random);
  return changed;
}

function change(original: Buffer, other: Buffer, random: Random): Buffer {
  const at = random(original.length + 1);
  const length = 1 + random(original.length - at + 1 > 64 ? 64 : original.length - at + 1);
  const [before, after] = [original.subarray(0, at), original.subarray(at)];
  switch (random(8)) {
    case 0:
      if (at < original.length) original[at]! ^= 1 << random(8);
      return original;
    case 1:
      if (at < original.length) original[at] = random(256);
      return original;
    case 2:
      return Buffer.concat([before, after.subarray(length)]);
    case 3:
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 4:
      return Buffer.concat([before, interesting[random(interesting.length)]!, after]);
    case 5:
      return Buffer.concat([before, interesting[random(interesting.length)]!, after.subarray(length)]);
    case 6: {
      const from = random(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + length), after]);
    }
    default:
      return random(8) === 0 ? Buffer.from(before) : original;
  }
}

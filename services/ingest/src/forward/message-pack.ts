import { isUtf8 } from 'node:buffer';
import { RejectedError } from '../errors.ts';
import { jsonInteger } from '../event/json-integer.ts';
import { maxDepth } from '../event/json-text.ts';

/** A value of MessagePack in JSON: integers beyond 2^53 are strings of their digits, bytes that are no text are base64. */
export type PackedValue =
  string | number | boolean | null | Buffer | Extension | PackedValue[] | { [name: string]: PackedValue };

/** A value of a type that MessagePack leaves to applications. */
export class Extension {
  readonly type: number;
  readonly bytes: Buffer;
  constructor(type: number, bytes: Buffer) {
    this.type = type;
    this.bytes = bytes;
  }
}

/** The end of the bytes came before that of the value. */
export const incomplete = -1;

interface Head {
  /** Where the content begins. */
  at: number;
  /** The bytes of the content itself, without values in it. */
  length: number;
  /** How many values it holds. */
  values: number;
}

/** Finds the ends of values without reading them. It takes the bytes as they come and looks at each head once. */
export class ValueScanner {
  #at = 0;
  #values = 1;

  /**
   * Returns the end of the value at the beginning; `incomplete` when more bytes are needed: then the next call goes on with the same
   * bytes and more. Throws RejectedError `bad-msgpack`.
   */
  end(bytes: Buffer): number {
    let at = this.#at;
    while (this.#values > 0) {
      const head = readHead(bytes, at);
      if (head === undefined || head.at + head.length > bytes.length) {
        this.#at = at;
        return incomplete;
      }
      at = head.at + head.length;
      this.#values += head.values - 1;
    }
    this.#at = 0;
    this.#values = 1;
    return at;
  }
}

/** Returns the end of the value at `start`, which must be before `end`. Throws RejectedError `bad-msgpack`. */
export function endOfValue(bytes: Buffer, start: number, end = bytes.length): number {
  let at = start;
  for (let values = 1; values > 0;) {
    const head = readHead(bytes, at);
    if (head === undefined || head.at + head.length > end) throw bad('the bytes end inside a value');
    at = head.at + head.length;
    values += head.values - 1;
  }
  return at;
}

function readHead(bytes: Buffer, at: number): Head | undefined {
  const type = bytes[at];
  if (type === undefined) return undefined;
  const head = (size: number, length: number, values = 0): Head => ({ at: at + 1 + size, length, values });
  if (type < 0x80 || type >= 0xe0) return head(0, 0);
  if (type < 0x90) return head(0, 0, 2 * (type & 0x0f));
  if (type < 0xa0) return head(0, 0, type & 0x0f);
  if (type < 0xc0) return head(0, type & 0x1f);
  const size = sizes[type]!;
  if (size === undefined) throw bad(`a value begins with 0x${type.toString(16)}`);
  const [digits, extra, values] = size;
  if (digits === 0) return head(0, extra);
  if (at + 1 + digits > bytes.length) return undefined;
  const count = bytes.readUIntBE(at + 1, digits);
  return values === 0 ? head(digits, count + extra) : head(digits, 0, count * values);
}

/** Of each type: the digits of its length, the bytes beside that length, and the values for each of it. */
const sizes: Readonly<Record<number, readonly [digits: number, extra: number, values: number]>> = {
  0xc0: [0, 0, 0],
  0xc2: [0, 0, 0],
  0xc3: [0, 0, 0],
  0xc4: [1, 0, 0],
  0xc5: [2, 0, 0],
  0xc6: [4, 0, 0],
  0xc7: [1, 1, 0],
  0xc8: [2, 1, 0],
  0xc9: [4, 1, 0],
  0xca: [0, 4, 0],
  0xcb: [0, 8, 0],
  0xcc: [0, 1, 0],
  0xcd: [0, 2, 0],
  0xce: [0, 4, 0],
  0xcf: [0, 8, 0],
  0xd0: [0, 1, 0],
  0xd1: [0, 2, 0],
  0xd2: [0, 4, 0],
  0xd3: [0, 8, 0],
  0xd4: [0, 2, 0],
  0xd5: [0, 3, 0],
  0xd6: [0, 5, 0],
  0xd7: [0, 9, 0],
  0xd8: [0, 17, 0],
  0xd9: [1, 0, 0],
  0xda: [2, 0, 0],
  0xdb: [4, 0, 0],
  0xdc: [2, 0, 1],
  0xdd: [4, 0, 1],
  0xde: [2, 0, 2],
  0xdf: [4, 0, 2],
};

/** Reads one value after another. */
export class ValueReader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** How many values the array at this place holds; undefined for every other value. Moves to the first. */
  array(): number | undefined {
    const type = this.#bytes[this.at]!;
    const isArray = (type & 0xf0) === 0x90 || type === 0xdc || type === 0xdd;
    if (!isArray) return undefined;
    const { at, values } = readHead(this.#bytes, this.at)!;
    this.at = at;
    return values;
  }

  /** The bytes of the text or binary at this place, which it moves behind; undefined for every other value. */
  bytes(): Buffer | undefined {
    const type = this.#bytes[this.at]!;
    const isBytes =
      (type >= 0xa0 && type < 0xc0) || (type >= 0xc4 && type <= 0xc6) || (type >= 0xd9 && type <= 0xdb);
    if (!isBytes) return undefined;
    const { at, length } = readHead(this.#bytes, this.at)!;
    this.at = at + length;
    return this.#bytes.subarray(at, this.at);
  }

  /** Moves behind the value at this place and returns its bytes. Throws RejectedError `bad-msgpack`. */
  skip(): Buffer {
    const start = this.at;
    this.at = endOfValue(this.#bytes, start);
    return this.#bytes.subarray(start, this.at);
  }

  /** Returns the value at this place. Throws RejectedError `bad-msgpack`, `too-deep`. */
  value(depth = 0): PackedValue {
    const bytes = this.#bytes;
    const type = bytes[this.at];
    const head = readHead(bytes, this.at);
    if (type === undefined || head === undefined || head.at + head.length > bytes.length)
      throw bad('the bytes end inside a value');
    const { at, length, values } = head;
    this.at = at + length;
    if (type < 0x80) return type;
    if (type >= 0xe0) return type - 0x100;
    if (type < 0x90 || type === 0xde || type === 0xdf) return this.#map(values / 2, depth + 1);
    if (type < 0xa0 || type === 0xdc || type === 0xdd) return this.#list(values, depth + 1);
    if (type < 0xc0 || (type >= 0xd9 && type <= 0xdb)) return textOr(bytes.subarray(at, this.at));
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return textOr(bytes.subarray(at, this.at));
      case 0xca:
        return bytes.readFloatBE(at);
      case 0xcb:
        return bytes.readDoubleBE(at);
      case 0xcc:
      case 0xcd:
      case 0xce:
        return bytes.readUIntBE(at, length);
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return bytes.readIntBE(at, length);
      case 0xcf:
        return jsonInteger(bytes.readBigUInt64BE(at));
      case 0xd3:
        return jsonInteger(bytes.readBigInt64BE(at));
      default:
        return new Extension(bytes.readInt8(at), bytes.subarray(at + 1, this.at));
    }
  }

  #list(count: number, depth: number): PackedValue[] {
    if (depth > maxDepth) throw new RejectedError('too-deep');
    const list: PackedValue[] = [];
    for (let i = 0; i < count; i++) list.push(this.value(depth));
    return list;
  }

  #map(count: number, depth: number): Record<string, PackedValue> {
    if (depth > maxDepth) throw new RejectedError('too-deep');
    const map = Object.create(null) as Record<string, PackedValue>;
    for (let i = 0; i < count; i++) {
      const name = this.value(depth);
      map[typeof name === 'string' ? name : JSON.stringify(name)] = this.value(depth);
    }
    return map;
  }
}

/** Loggers of old send texts as bytes, and bytes as texts. */
function textOr(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'base64');
}

function bad(detail: string): RejectedError {
  return new RejectedError('bad-msgpack', detail);
}

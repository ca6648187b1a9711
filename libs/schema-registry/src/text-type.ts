import { shortText } from '@logloom/schemas';
import avro from 'avsc';

/** avsc's cursor over a buffer: the part that a type needs. Reading or writing past the end only moves `pos`, and avsc notices. */
interface Tap {
  buf: Buffer;
  pos: number;
  readLong(): number;
  readString(): string;
  writeString(text: string): void;
  writeLong(value: number): void;
}

interface Internals {
  _read(tap: Tap): string;
  _write(tap: Tap, value: string): void;
}

/** Up to here a loop is faster than leaving JavaScript, and Avro's length is one byte. */
const longestLooped = 63;
/** The length before a text takes no more. */
const lengthBytes = 8;

const StringType = avro.types.StringType as unknown as new () => Internals;

/** Avro's `string`, read by shortText(), and written with fewer calls that leave JavaScript. Measured by `bench/stages.ts`. */
class TextType extends StringType {
  override _read(tap: Tap): string {
    const { buf, pos: start } = tap;
    const length = tap.readLong();
    const from = tap.pos;
    const end = from + length;
    if (length < 0 || end > buf.length) {
      tap.pos = start;
      return tap.readString();
    }
    tap.pos = end;
    return shortText(buf, from, end);
  }

  override _write(tap: Tap, value: string): void {
    const { buf, pos: start } = tap;
    if (typeof value !== 'string' || start + lengthBytes + value.length > buf.length)
      return super._write(tap, value);
    const { length } = value;
    if (length <= longestLooped) {
      for (let i = 0; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code >= 0x80) return super._write(tap, value);
        buf[start + 1 + i] = code;
      }
      // Zig-zag.
      buf[start] = length * 2;
      tap.pos = start + 1 + length;
      return;
    }
    if (Buffer.byteLength(value) !== length) return super._write(tap, value);
    tap.writeLong(length);
    tap.pos += buf.write(value, tap.pos, length, 'latin1');
  }
}

const textType = new TextType() as unknown as avro.Type;

/** The type of a schema, with texts that are read and written as above. */
export function parseFastSchema(text: string): avro.Type {
  return avro.Type.forSchema(JSON.parse(text) as avro.Schema, {
    typeHook: (schema) => (schema === 'string' ? textType : undefined),
  });
}

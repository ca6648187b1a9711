import { isUtf8 } from 'node:buffer';
import protobuf from 'protobufjs/minimal.js';
import { IngestError, RejectedError } from '../errors.ts';

/** The types of the wire format. */
export const varint = 0;
export const fixed64 = 1;
export const fixed32 = 5;
const bytesType = 2;

/** Returns the tag of a field; without a type, of one that holds a string, bytes or a message. */
export const tagOf = (field: number, type = bytesType): number => (field << 3) | type;

/**
 * Reads a message field by field with protobufjs' reader of the wire format. Strings and messages are views of the same bytes: nothing is
 * copied. Its methods throw errors that readProtobuf() converts.
 */
export class MessageReader {
  readonly #bytes: Buffer;
  readonly #reader: protobuf.Reader;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#reader = protobuf.Reader.create(bytes);
  }

  /** The end of the outermost message. */
  get end(): number {
    return this.#bytes.length;
  }

  /** Returns the next field's tag (number × 8 + wire type) before `end`; 0 at the end. */
  tag(end: number): number {
    const { pos } = this.#reader;
    if (pos === end) return 0;
    if (pos > end) throw broken('a field is longer than its message');
    const tag = this.#reader.uint32();
    if (tag >>> 3 === 0) throw broken('a field has the number 0');
    return tag;
  }

  skip(tag: number): void {
    this.#reader.skipType(tag & 7);
  }

  uint32(): number {
    return this.#reader.uint32();
  }

  bool(): boolean {
    return this.#reader.bool();
  }

  double(): number {
    return this.#reader.double();
  }

  fixed32(): number {
    return this.#reader.fixed32();
  }

  fixed64(): bigint {
    const at = this.#reader.pos;
    this.#reader.skip(8);
    return this.#bytes.readBigUInt64LE(at);
  }

  int64(): bigint {
    const { low, high } = this.#reader.int64();
    return (BigInt(high) << 32n) | BigInt(low >>> 0);
  }

  /** Returns the end of the string, bytes or message that begins here, and moves to its start. */
  length(): number {
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    if (end > this.#bytes.length) throw broken('the bytes end inside a field');
    return end;
  }

  bytes(): Buffer {
    const end = this.length();
    const bytes = this.#bytes.subarray(this.#reader.pos, end);
    this.#reader.pos = end;
    return bytes;
  }

  /** Reads a string. Throws `invalid-utf8` instead of replacing bytes. */
  text(): string {
    const end = this.length();
    const start = this.#reader.pos;
    const text = this.#bytes.toString('utf8', start, end);
    // Invalid bytes become U+FFFD, but the sender may also have written it.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, end)))
      throw new RejectedError('invalid-utf8');
    this.#reader.pos = end;
    return text;
  }
}

/** Returns a field that holds a string, bytes or a message. */
export function protobufField(field: number, bytes: Buffer): Buffer {
  const head = protobuf.Writer.create().uint32(tagOf(field)).uint32(bytes.length).finish();
  return Buffer.concat([head, bytes]);
}

/** Returns what `read` returns. Throws RejectedError, mostly `bad-protobuf`, when the bytes are wrong. */
export function readProtobuf<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (
      error instanceof RejectedError ||
      error instanceof IngestError ||
      error instanceof TypeError ||
      error instanceof ReferenceError
    )
      throw error;
    throw broken((error as Error).message);
  }
}

function broken(detail: string): RejectedError {
  return new RejectedError('bad-protobuf', detail);
}

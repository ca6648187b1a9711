import type { Source } from '@logloom/schemas';
import { reject, type Rejection } from '../errors.ts';

/** The first byte of each text in a sequence of JSON texts; a newline ends each (RFC 7464). */
export const recordSeparator = 0x1e;

/** A dead letter that many rejected events share. */
export class JointDeadLetter {
  readonly source: Source;
  readonly receivedAtMs: number;
  /** Makes the dead letter's payload of the parts. */
  readonly write: (parts: Buffer) => Buffer;
  readonly #codes = new Map<string, number>();
  #bytes = Buffer.allocUnsafe(1024);
  #length = 0;

  constructor(source: Source, receivedAtMs: number, write: (parts: Buffer) => Buffer) {
    this.source = source;
    this.receivedAtMs = receivedAtMs;
    this.write = write;
  }

  get length(): number {
    return this.#length;
  }

  add(code: string, part: Buffer): void {
    const length = this.#length + part.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    part.copy(this.#bytes, this.#length);
    this.#length = length;
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
  }

  get payload(): Buffer {
    return this.write(this.#bytes.subarray(0, this.#length));
  }

  get reason(): Rejection {
    const counts = Array.from(this.#codes, ([code, count]) => `${code} (${count})`).join(', ');
    return reject(
      'many-rejected',
      `rejected in one request, beyond those with dead letters of their own: ${counts}`,
    );
  }
}

/** Returns a text as one part of a dead letter that many share. */
export function textPart(bytes: Buffer): Buffer {
  const part = Buffer.allocUnsafe(bytes.length + 2);
  part[0] = recordSeparator;
  bytes.copy(part, 1);
  part[bytes.length + 1] = 0x0a;
  return part;
}

/** Returns the texts of a dead letter that many share; undefined for every other payload. */
export function textsOf(payload: Buffer): Buffer[] | undefined {
  if (payload[0] !== recordSeparator) return undefined;
  const texts: Buffer[] = [];
  for (let start = 0; start < payload.length;) {
    const next = payload.indexOf(recordSeparator, start + 1);
    const end = next === -1 ? payload.length : next;
    texts.push(payload.subarray(start + 1, payload[end - 1] === 0x0a ? end - 1 : end));
    start = end;
  }
  return texts;
}

import { RejectedError } from '../errors.ts';
import type { Framer } from '../stream/tcp-server.ts';
import { incomplete, ValueScanner } from './message-pack.ts';

/** A message of a connection, or what cannot be one. */
export interface ForwardFrame {
  bytes: Buffer;
  problem?: { code: 'bad-msgpack' | 'event-too-large' | 'incomplete-message'; message: string };
}

const leastBytes = 4096;
/** How much of what is no message is kept. */
const maxKeptBytes = 64 * 1024;

/** Cuts a stream into values of MessagePack. After a value that is none, or is too large, nothing of the stream can be read. */
export class ForwardFramer implements Framer<ForwardFrame> {
  /** The largest message. */
  maxBytes: number;
  readonly #scanner = new ValueScanner();
  #held: Buffer = Buffer.alloc(0);
  #length = 0;
  #isBroken = false;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#length;
  }

  push(chunk: Buffer): ForwardFrame[] {
    if (this.#isBroken) return [];
    const bytes = this.#length === 0 ? chunk : this.#append(chunk);
    const frames: ForwardFrame[] = [];
    let start = 0;
    try {
      while (start < bytes.length) {
        const rest = bytes.subarray(start);
        const end = this.#scanner.end(rest);
        if (end === incomplete) break;
        frames.push({ bytes: rest.subarray(0, end) });
        start += end;
      }
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      frames.push(this.#break(bytes.subarray(start), 'bad-msgpack', error.message));
      return frames;
    }
    this.#keep(bytes.subarray(start), start > 0 || this.#length === 0);
    if (this.#length > this.maxBytes)
      frames.push(
        this.#break(this.#held.subarray(0, this.#length), 'event-too-large', 'the message is too large'),
      );
    return frames;
  }

  end(): ForwardFrame[] {
    if (this.#isBroken || this.#length === 0) return [];
    const bytes = this.#held.subarray(0, this.#length);
    return [
      this.#break(
        bytes,
        'incomplete-message',
        `the connection ended after ${bytes.length} bytes of a message`,
      ),
    ];
  }

  #break(bytes: Buffer, code: NonNullable<ForwardFrame['problem']>['code'], message: string): ForwardFrame {
    this.#isBroken = true;
    const kept = Buffer.from(bytes.subarray(0, maxKeptBytes));
    this.#held = Buffer.alloc(0);
    this.#length = 0;
    return { bytes: kept, problem: { code, message } };
  }

  /** Adds to what is held. The room doubles, so that a large message is not copied for each of its chunks. */
  #append(chunk: Buffer): Buffer {
    this.#reserve(this.#length + chunk.length);
    chunk.copy(this.#held, this.#length);
    this.#length += chunk.length;
    return this.#held.subarray(0, this.#length);
  }

  #keep(rest: Buffer, isNew: boolean): void {
    if (!isNew) return;
    // What was cut off before is still in use: the rest moves to a place of its own.
    this.#held = Buffer.allocUnsafe(rest.length === 0 ? 0 : Math.max(leastBytes, rest.length));
    rest.copy(this.#held);
    this.#length = rest.length;
  }

  #reserve(length: number): void {
    if (length <= this.#held.length) return;
    const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#held.length));
    this.#held.copy(larger, 0, 0, this.#length);
    this.#held = larger;
  }
}

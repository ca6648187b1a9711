import type { MemoryBudget } from '../admission/memory-budget.ts';

const headBytes = 12;
/** The GELF specification: parts of one message, and how long the server waits for all of them. */
const maxParts = 128;
const maxAgeMs = 5_000;
/** The memory that a message and each of its parts need beside their bytes. */
const overheadBytes = 200;
/** The memory of the place of each part that has not come yet. */
const placeBytes = 8;
/** What incomplete messages may hold of the memory budget. */
const memoryShare = 1 / 16;

interface Incomplete {
  parts: (Buffer | undefined)[];
  missing: number;
  bytes: number;
  /** On the monotonic clock. */
  beganMs: number;
}

/** Joins the parts of messages that did not fit into one datagram. */
export class GelfChunks {
  readonly #memory: MemoryBudget;
  readonly #maxBytes: number;
  readonly #onDropped: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** In the order in which they began. */
  readonly #incomplete = new Map<string, Incomplete>();
  #bytes = 0;

  /** `onDropped` is called for each message whose parts did not all come in time, or for which there was no room. */
  constructor(memory: MemoryBudget, onDropped: () => void) {
    this.#memory = memory;
    this.#maxBytes = memory.maxBytes * memoryShare;
    this.#onDropped = onDropped;
  }

  /** Returns the message that a datagram is, or completes; undefined while parts of it are missing, and for a part that is none. */
  take(datagram: Buffer, peer: string | undefined, nowMs = performance.now()): Buffer | undefined {
    this.#expire(nowMs);
    if (datagram[0] !== 0x1e || datagram[1] !== 0x0f) return datagram;
    const count = datagram[11];
    const index = datagram[10];
    if (index === undefined || count === undefined || count === 0 || count > maxParts || index >= count) {
      this.#onDropped();
      return undefined;
    }
    // Two senders may use the same id.
    const key = `${peer} ${datagram.toString('latin1', 2, 10)} ${count}`;
    let message = this.#incomplete.get(key);
    if (message === undefined) {
      message = { parts: Array.from({ length: count }), missing: count, bytes: 0, beganMs: nowMs };
      this.#incomplete.set(key, message);
      this.#add(message, overheadBytes + count * placeBytes);
      this.#timer ??= setTimeout(() => this.#look(), maxAgeMs).unref();
    }
    if (message.parts[index] !== undefined) return undefined;
    // A copy: the datagram's buffer may be much larger.
    message.parts[index] = Buffer.from(datagram.subarray(headBytes));
    message.missing--;
    this.#add(message, datagram.length + overheadBytes);
    if (message.missing > 0) {
      this.#makeRoom();
      return undefined;
    }
    this.#remove(key, message);
    return Buffer.concat(message.parts as Buffer[]);
  }

  /** Drops what is incomplete. */
  close(): void {
    clearTimeout(this.#timer);
    for (const [key, message] of this.#incomplete) this.#drop(key, message);
  }

  /** Drops what is too old also when no datagram comes any more. */
  #look(): void {
    this.#timer = undefined;
    this.#expire(performance.now());
    if (this.#incomplete.size > 0) this.#timer = setTimeout(() => this.#look(), maxAgeMs).unref();
  }

  #expire(nowMs: number): void {
    for (const [key, message] of this.#incomplete) {
      if (nowMs - message.beganMs < maxAgeMs) return;
      this.#drop(key, message);
    }
  }

  #makeRoom(): void {
    for (const [key, message] of this.#incomplete) {
      if (this.#bytes <= this.#maxBytes && this.#memory.freeBytes > 0) return;
      this.#drop(key, message);
    }
  }

  #drop(key: string, message: Incomplete): void {
    this.#remove(key, message);
    this.#onDropped();
  }

  #add(message: Incomplete, bytes: number): void {
    message.bytes += bytes;
    this.#bytes += bytes;
    this.#memory.add(bytes);
  }

  #remove(key: string, message: Incomplete): void {
    this.#incomplete.delete(key);
    this.#bytes -= message.bytes;
    this.#memory.release(message.bytes);
  }
}

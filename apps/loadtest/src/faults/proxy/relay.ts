import type { Socket } from 'node:net';
import { delayMs, type LineConditions } from './line-conditions.ts';

/** What is under way in one direction at most; beyond it nothing more is read, as a full window does. */
const mostQueuedBytes = 2 ** 20;

/** One direction of a connection through the proxy. Bytes keep their order, whatever happens to them. */
export class Relay {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #random: () => number;
  #conditions: LineConditions | undefined;
  #queue: { bytes: Buffer | null; dueMs: number }[] = [];
  #queuedBytes = 0;
  #lastDueMs = 0;
  /** The line is busy with what went before until then. */
  #busyUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, random: () => number) {
    this.#from = from;
    this.#to = to;
    this.#random = random;
    from.on('data', (bytes: Buffer) => this.#receive(bytes));
    from.on('end', () => this.#pass(null));
    to.on('drain', () => this.#readOn());
  }

  /** From now on; what is under way keeps its times. */
  set conditions(conditions: LineConditions | undefined) {
    this.#conditions = conditions;
    if (conditions?.isHeld === true) this.#from.pause();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (conditions?.isHeld !== true) this.#sendDue();
    this.#readOn();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #receive(bytes: Buffer): void {
    const { corruptRate = 0 } = this.#conditions ?? {};
    this.#pass(corruptRate > 0 && this.#random() < corruptRate ? changed(bytes, this.#random) : bytes);
  }

  /** Null is the end of the stream. */
  #pass(bytes: Buffer | null): void {
    if (this.#conditions === undefined && this.#queue.length === 0) return this.#write(bytes);
    const length = bytes?.length ?? 0;
    const now = performance.now();
    const { bytesPerSecond } = this.#conditions ?? {};
    if (bytesPerSecond !== undefined)
      this.#busyUntilMs = Math.max(now, this.#busyUntilMs) + (length / bytesPerSecond) * 1_000;
    const delay = this.#conditions === undefined ? 0 : delayMs(this.#conditions, length, this.#random);
    const dueMs = Math.max(this.#lastDueMs, Math.max(now, this.#busyUntilMs) + delay);
    this.#lastDueMs = dueMs;
    this.#queue.push({ bytes, dueMs });
    this.#queuedBytes += length;
    if (this.#queuedBytes > mostQueuedBytes) this.#from.pause();
    if (this.#conditions?.isHeld !== true) this.#sendDue();
  }

  #sendDue(): void {
    const now = performance.now();
    let sent = 0;
    while (sent < this.#queue.length && this.#queue[sent]!.dueMs <= now) {
      const { bytes } = this.#queue[sent++]!;
      this.#queuedBytes -= bytes?.length ?? 0;
      this.#write(bytes);
    }
    if (sent > 0) this.#queue.splice(0, sent);
    const next = this.#queue[0];
    if (next === undefined) return this.#readOn();
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#sendDue();
      },
      Math.max(1, next.dueMs - now),
    );
  }

  #write(bytes: Buffer | null): void {
    if (bytes === null) this.#to.end();
    else if (!this.#to.writableEnded && !this.#to.write(bytes)) this.#from.pause();
  }

  #readOn(): void {
    if (this.#conditions?.isHeld === true || this.#queuedBytes > mostQueuedBytes) return;
    if (this.#to.writableNeedDrain || !this.#from.isPaused()) return;
    this.#from.resume();
  }
}

/** With one bit of one byte other than it was. */
function changed(bytes: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(random() * copy.length);
  copy[at] = copy[at]! ^ (1 << Math.floor(random() * 8));
  return copy;
}

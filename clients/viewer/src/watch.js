// @ts-check
import { formatItemCursor, take } from './item-cursor.js';
import { LiveError } from './live-error.js';

/**
 * @import { Correlation, Gap, LogEvent, Mode, Wanted } from './protocol.js'
 * @import { Place, Subscriber } from './subscription.js'
 * @import { Taken } from './item-cursor.js'
 *
 * @typedef {{ type: 'event', event: LogEvent, cursor: string }
 *   | { type: 'correlation', correlation: Correlation, cursor: string }
 *   | { type: 'gap', gap: Gap, cursor: string }
 *   | { type: 'mode', mode: Mode }
 *   | { type: 'restart', message: string }} WatchEntry `cursor`: to continue after this entry, in this process or another
 *
 * @typedef {object} WatchOptions
 * @property {AbortSignal} [signal] ends the iteration
 * @property {(cursor: string) => void} [onAcked] the server has kept what was acknowledged
 * @property {number} [maxQueued] items that may wait to be read before the server is asked to stop; default 10,000
 *
 * @typedef {{ items: (LogEvent | Correlation)[], next: number, cursor: string, before: string, taken: Taken }} ItemBatch
 */

/**
 * One subscription as an async iterable. Ends when its signal aborts or `break` leaves the loop; throws LiveError when the server refuses
 * it. The reader sets the pace: beyond `maxQueued` waiting items it pauses the subscription, and resumes it at its cursor when half of them
 * are read.
 * @implements {AsyncIterableIterator<WatchEntry>}
 */
export class Watch {
  /** @type {(ItemBatch | WatchEntry)[]} */ #queue = [];
  #queued = 0;
  #paused = false;
  #ended = false;
  /** @type {LiveError | undefined} */ #error;
  /** @type {((result: void) => void)[]} */ #waiting = [];
  /** @type {string | undefined} */ #cursor;
  #subscription;
  #maxQueued;
  #type;

  /** @param {Subscriber} client @param {Wanted} wanted @param {WatchOptions} options */
  constructor(client, wanted, { signal, onAcked = () => {}, maxQueued = 10_000 }) {
    this.#maxQueued = maxQueued;
    this.#type = wanted.stream === 'correlations' ? 'correlation' : 'event';
    this.#subscription = client.subscribe(wanted, {
      onItems: (items, cursor, place) => this.#push(items, cursor, place),
      onGap: ({ from, to, missed, reason }) =>
        this.#note({ type: 'gap', gap: { from, to, missed, reason }, cursor: to }),
      onMode: ({ mode, counts }) => this.#note({ type: 'mode', mode: { mode, counts } }),
      onAcked,
      onRestart: (message) => this.#note({ type: 'restart', message }),
      onError: (refusal) => {
        this.#error = new LiveError(refusal);
        this.#wake();
      },
    });
    if (signal?.aborted) this.#end();
    else signal?.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** Everything up to this cursor has been read from the iterator. Store it to continue later without loss or duplicates. */
  get cursor() {
    return this.#cursor;
  }

  /** Tells the server that everything up to a cursor is processed; default: everything that was read. @param {string} [cursor] */
  ack(cursor = this.#cursor) {
    if (cursor !== undefined) this.#subscription.ack(cursor);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** @returns {Promise<IteratorResult<WatchEntry, undefined>>} */
  async next() {
    for (;;) {
      if (this.#ended) return { done: true, value: undefined };
      const value = this.#take();
      if (value !== undefined) return { done: false, value };
      if (this.#error !== undefined) {
        this.#end();
        throw this.#error;
      }
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }

  /** @returns {Promise<IteratorResult<WatchEntry, undefined>>} */
  async return() {
    this.#end();
    return { done: true, value: undefined };
  }

  /** @param {(LogEvent | Correlation)[]} items @param {string} cursor @param {Place} place */
  #push(items, cursor, { before, taken }) {
    this.#queue.push({ items, next: 0, cursor, before, taken: new Map(taken) });
    this.#queued += items.length;
    if (this.#queued > this.#maxQueued && !this.#paused) {
      this.#paused = true;
      this.#subscription.pause();
    }
    this.#wake();
  }

  /** @param {WatchEntry} entry */
  #note(entry) {
    this.#queue.push(entry);
    this.#wake();
  }

  /** @returns {WatchEntry | undefined} */
  #take() {
    for (;;) {
      const head = this.#queue[0];
      if (head === undefined) return undefined;
      if ('type' in head) {
        this.#queue.shift();
        if (head.type === 'gap') this.#cursor = head.cursor;
        return head;
      }
      const item = head.items[head.next++];
      if (head.next >= head.items.length) {
        this.#queue.shift();
        this.#cursor = head.cursor;
      }
      // An empty batch only moves the cursor.
      if (item === undefined) continue;
      if (head.next < head.items.length) {
        take(head.taken, item);
        this.#cursor = formatItemCursor(head.before, head.taken);
      }
      this.#queued--;
      if (this.#paused && this.#queued <= this.#maxQueued / 2) {
        this.#paused = false;
        this.#subscription.resume();
      }
      return /** @type {WatchEntry} */ ({ type: this.#type, [this.#type]: item, cursor: this.#cursor });
    }
  }

  #end() {
    this.#ended = true;
    this.#queue = [];
    this.#subscription.close();
    this.#wake();
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Even a store in trouble is asked for so many items at a time. */
const smallest = 100;
/** A write that took longer does not let the next ones grow. */
const quickMs = 1_000;

/**
 * How many items one write to a store may have: half as many after each failure, and twice as many after each quick success, up to
 * all. A store that could not finish a large write in time would not finish the same one when it is repeated.
 */
export class WriteSize {
  #items = Infinity;

  get items(): number {
    return this.#items;
  }

  /** A write of that many items has failed. */
  failed(items: number): void {
    this.#items = Math.max(smallest, Math.ceil(items / 2));
  }

  /** A write of that many items took so long; `largest` is the number from which on there is no limit. */
  succeeded(items: number, tookMs: number, largest: number): void {
    // A smaller write says nothing about one of the full size.
    if (items < this.#items || tookMs > quickMs) return;
    this.#items = items * 2 >= largest ? Infinity : items * 2;
  }
}

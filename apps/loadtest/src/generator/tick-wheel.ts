/** Calls back later, a tick late at most: one timer serves thousands of viewers. */
export class TickWheel {
  readonly #tickMs: number;
  readonly #now: () => number;
  readonly #due = new Map<number, (() => void)[]>();
  #tick: number;

  /** tick() has to be called about every `tickMs`; `now` in ms. */
  constructor(tickMs: number, now: () => number) {
    this.#tickMs = tickMs;
    this.#now = now;
    this.#tick = this.#numberOf(now());
  }

  /** How many calls are to come. */
  get size(): number {
    let size = 0;
    for (const callbacks of this.#due.values()) size += callbacks.length;
    return size;
  }

  /** Cannot be taken back: what is called has to see whether it still applies. */
  after(ms: number, callback: () => void): void {
    const tick = Math.max(this.#tick, this.#numberOf(this.#now() + ms)) + 1;
    const callbacks = this.#due.get(tick);
    if (callbacks === undefined) this.#due.set(tick, [callback]);
    else callbacks.push(callback);
  }

  tick(): void {
    for (const now = this.#numberOf(this.#now()); this.#tick < now;) {
      const callbacks = this.#due.get(++this.#tick);
      if (callbacks === undefined) continue;
      this.#due.delete(this.#tick);
      for (const callback of callbacks) callback();
    }
  }

  #numberOf(ms: number): number {
    return Math.floor(ms / this.#tickMs);
  }
}

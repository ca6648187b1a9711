/** Calls back once at a time, on the clock of performance.now(), and says how late the event loop was. The time may be moved forward. */
export class FlushTimer {
  readonly #onTime: (lateMs: number) => void;
  #atMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(onTime: (lateMs: number) => void) {
    this.#onTime = onTime;
  }

  /** A time that is not in the future means as soon as sockets and timers have had their turn. */
  set(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.clear();
    const nowMs = performance.now();
    this.#atMs = Math.max(atMs, nowMs);
    if (atMs <= nowMs) this.#immediate = setImmediate(() => this.#fire());
    else this.#timer = setTimeout(() => this.#fire(), atMs - nowMs);
  }

  clear(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #fire(): void {
    const lateMs = performance.now() - this.#atMs;
    this.clear();
    this.#onTime(lateMs);
  }
}

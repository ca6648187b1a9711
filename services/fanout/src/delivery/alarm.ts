/** Calls back once at a time that may be moved forward, on the clock of performance.now(), and says how late the event loop was. */
export class Alarm {
  readonly #ring: (lateMs: number) => void;
  #at = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(ring: (lateMs: number) => void) {
    this.#ring = ring;
  }

  /** A time that is not in the future means: as soon as sockets and timers had their turn. */
  set(atMs: number): void {
    if (atMs >= this.#at) return;
    this.clear();
    const now = performance.now();
    this.#at = Math.max(atMs, now);
    if (atMs <= now) this.#immediate = setImmediate(() => this.#fire());
    else this.#timer = setTimeout(() => this.#fire(), atMs - now);
  }

  clear(): void {
    this.#at = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #fire(): void {
    const late = performance.now() - this.#at;
    this.clear();
    this.#ring(late);
  }
}

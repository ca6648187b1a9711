/** Holds whoever moves bytes to a rate, so that the disk has time for others. */
export class Pace {
  readonly #bytesPerMs: number;
  readonly #startedAt = performance.now();
  #bytes = 0;

  /** `rate` in bytes per second. */
  constructor(rate: number) {
    this.#bytesPerMs = rate / 1000;
  }

  /** Counts the bytes and returns when they are due. It blocks the thread: SQLite's progress callback cannot wait otherwise. */
  moved(bytes: number): void {
    this.#bytes += bytes;
    const waitMs = this.#bytes / this.#bytesPerMs - (performance.now() - this.#startedAt);
    if (waitMs >= 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
  }
}

import { IngestError } from '../errors.ts';

/** Counts the bytes that requests and unfinished messages hold, so that memory has a bound. */
export class MemoryBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get freeBytes(): number {
    return Math.max(0, this.#maxBytes - this.#usedBytes);
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Throws IngestError `overloaded` when the bytes do not fit. */
  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.#maxBytes) throw new IngestError('overloaded');
    this.#usedBytes += bytes;
  }

  /** Counts bytes that are known to fit; a negative number releases some. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** What one request holds of the memory budget; disposing releases it. */
export class MemoryClaim implements Disposable {
  readonly #budget: MemoryBudget;
  #bytes = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Throws IngestError `overloaded` when the bytes do not fit. */
  take(bytes: number): void {
    this.#budget.take(bytes);
    this.#bytes += bytes;
  }

  /**
   * Like take(), for the parts that a body is read into. Throws IngestError `body-too-complex` when they would not fit even if the
   * request were alone: a retry is no use then.
   */
  takeParts(bytes: number): void {
    if (this.#bytes + bytes > this.#budget.maxBytes) throw new IngestError('body-too-complex');
    this.take(bytes);
  }

  /** Takes up to this many bytes, but no more than half of the free ones. Returns how many it took. */
  takeUpTo(bytes: number): number {
    const taken = Math.min(bytes, Math.floor(this.#budget.freeBytes / 2));
    this.take(taken);
    return taken;
  }

  [Symbol.dispose](): void {
    this.#budget.release(this.#bytes);
  }
}

/** Allows many writers, or one exchange of the store that they write to. Writes wait while an exchange runs. */
export class ExchangeLock {
  #running = 0;
  #opened: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  async write<T>(work: () => Promise<T>): Promise<T> {
    while (this.#opened !== undefined) await this.#opened;
    this.#running++;
    try {
      return await work();
    } finally {
      if (--this.#running === 0) this.#drained?.();
    }
  }

  /** Runs the exchange while no write runs; writes that arrive meanwhile wait. One at a time. */
  async exclusive<T>(exchange: () => Promise<T>): Promise<T> {
    while (this.#opened !== undefined) await this.#opened;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opened = promise;
    try {
      if (this.#running > 0) await new Promise<void>((drained) => (this.#drained = drained));
      return await exchange();
    } finally {
      this.#opened = undefined;
      resolve();
    }
  }
}

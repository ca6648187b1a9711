/** Lets a worker sleep until something happens in this process, or its timeout ends. */
export class JobNotifier {
  readonly #sleepers = new Set<() => void>();
  #calls = 0;

  /** How often wake() was called. */
  get calls(): number {
    return this.#calls;
  }

  wake(): void {
    this.#calls++;
    for (const resume of this.#sleepers) resume();
  }

  /** Resolves after `ms`, or at the first wake() since the count was `calls`: one that came before the sleep is not missed. */
  sleep(ms: number, calls: number): Promise<void> {
    if (this.#calls !== calls) return Promise.resolve();
    return new Promise((resolve) => {
      const resume = () => {
        clearTimeout(timer);
        this.#sleepers.delete(resume);
        resolve();
      };
      const timer = setTimeout(resume, ms);
      this.#sleepers.add(resume);
    });
  }
}

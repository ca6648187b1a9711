/** Lets one waiting piece of work run per turn of the event loop, first come, first served, so that many never delay the rest. */
export class Turns {
  #waiting: (() => void)[] = [];
  #scheduled = false;

  /** Resolves when it is the caller's turn; it works until its next await. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#waiting.shift()?.();
      this.#schedule();
    });
  }
}

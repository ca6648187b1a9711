/** The part of one turn of the event loop that goes to new viewers; the rest is for those who are connected. */
const sliceMs = 2;

/**
 * Admits new viewers first come, first served, a few in each turn of the event loop: connected viewers get their events in between
 * during a storm of handshakes.
 */
export class HandshakeQueue {
  readonly #maxInProgress: number;
  #waiting: (() => void)[] = [];
  #next = 0;
  #inProgress = 0;
  #isScheduled = false;

  /** `maxInProgress`: handshakes that may be in preparation or wait, before the queue is full. */
  constructor(maxInProgress: number) {
    this.#maxInProgress = maxInProgress;
  }

  /** Handshakes in preparation, and those that wait. */
  get inProgress(): number {
    return this.#inProgress;
  }

  get isFull(): boolean {
    return this.#inProgress >= this.#maxInProgress;
  }

  /** Calls `admit` with what `prepare` resolved to, once the handshake is first in the queue. `prepare` must not reject. */
  async enter<T>(prepare: () => Promise<T>, admit: (prepared: T) => void): Promise<void> {
    this.#inProgress++;
    const prepared = await prepare();
    this.#waiting.push(() => {
      this.#inProgress--;
      admit(prepared);
    });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#admitSome();
      this.#schedule();
    });
  }

  #admitSome(): void {
    const endMs = performance.now() + sliceMs;
    do this.#waiting[this.#next++]!();
    while (this.#next < this.#waiting.length && performance.now() < endMs);
    if (this.#next < this.#waiting.length) return;
    this.#waiting = [];
    this.#next = 0;
  }
}

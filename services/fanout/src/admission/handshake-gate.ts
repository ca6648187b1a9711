/** The time of one turn of the event loop that goes to new viewers; what is left of the turn is for those who are there. */
const sliceMs = 2;

/**
 * Lets viewers in, a few in each turn of the event loop, first come, first served: in a storm of handshakes those who watch already
 * get their events in between.
 */
export class HandshakeGate {
  readonly #maxInProgress: number;
  #waiting: (() => void)[] = [];
  #next = 0;
  #inProgress = 0;
  #isScheduled = false;

  constructor(maxInProgress: number) {
    this.#maxInProgress = maxInProgress;
  }

  /** Whether as many are on their way as may be. */
  get isFull(): boolean {
    return this.#inProgress >= this.#maxInProgress;
  }

  /** Calls `letIn` with what `prepare` gives when both that and the turn have come. `prepare` never rejects. */
  async enter<T>(prepare: () => Promise<T>, letIn: (prepared: T) => void): Promise<void> {
    this.#inProgress++;
    const prepared = await prepare();
    this.#waiting.push(() => {
      this.#inProgress--;
      letIn(prepared);
    });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#work();
      this.#schedule();
    });
  }

  #work(): void {
    const end = performance.now() + sliceMs;
    do this.#waiting[this.#next++]!();
    while (this.#next < this.#waiting.length && performance.now() < end);
    if (this.#next < this.#waiting.length) return;
    this.#waiting = [];
    this.#next = 0;
  }
}

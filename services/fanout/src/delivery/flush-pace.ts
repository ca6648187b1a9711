/** The share of the event loop's time that passes may take while there is no hurry. */
const share = 4;
/** How much of what was measured before still counts: one quick pass among slow ones (an error to a few) says little. */
const memory = 0.7;

/**
 * How long an event waits for others that could share its message: not at all while the event loop is idle, longer the more there is to do,
 * and never longer than `maxMs`. Two things are measured: how long the last pass over the viewers took (the next begins after three times
 * as long, which leaves the loop to others), and how late the loop called back. Times are in milliseconds of one clock.
 */
export class FlushPace {
  readonly #maxMs: number;
  #endedAtMs = Number.NEGATIVE_INFINITY;
  #workMs = 0;
  #lagMs = 0;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** The present interval between two passes. */
  get waitMs(): number {
    return Math.min(this.#maxMs, this.#workMs * (share - 1) + this.#lagMs);
  }

  /** When a batch that was opened at this time has to be sent. */
  dueAtMs(openedAtMs: number): number {
    const earliest = this.#endedAtMs + this.waitMs;
    return Math.max(openedAtMs, Math.min(earliest, openedAtMs + this.#maxMs));
  }

  /** Records a pass that ended at this time and took `workMs` of the loop's time. */
  passed(endedAtMs: number, workMs: number): void {
    this.#endedAtMs = endedAtMs;
    this.#workMs = Math.max(workMs, memory * this.#workMs);
  }

  /** Records how late the loop called back. */
  lagged(lateMs: number): void {
    this.#lagMs = memory * this.#lagMs + (1 - memory) * Math.max(0, lateMs);
  }
}

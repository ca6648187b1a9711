/** The part of the event loop's time that passes may take while they need not hurry. */
const share = 4;
/** How much of what was measured before still counts: one quick pass among slow ones (an error to a few) says little. */
const memory = 0.7;

/**
 * How long an event waits for others that could share its message: not at all while the event loop is idle, longer the more there is
 * to do, and never longer than `maxMs`. Two things are measured: what the last pass over the viewers took (the next begins when three
 * times as long has gone by, so that passes leave the loop to others), and by how much the loop called back too late. Times are in
 * milliseconds of any one clock.
 */
export class FlushPace {
  readonly #maxMs: number;
  #endedAtMs = Number.NEGATIVE_INFINITY;
  #workMs = 0;
  #lagMs = 0;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** What lies between two passes at present. */
  get waitMs(): number {
    return Math.min(this.#maxMs, this.#workMs * (share - 1) + this.#lagMs);
  }

  /** When a batch that was opened then is to be sent. */
  dueAtMs(openedAtMs: number): number {
    const earliest = this.#endedAtMs + this.waitMs;
    return Math.max(openedAtMs, Math.min(earliest, openedAtMs + this.#maxMs));
  }

  /** A pass ended then; `workMs` of the loop's time were spent in it. */
  passed(endedAtMs: number, workMs: number): void {
    this.#endedAtMs = endedAtMs;
    this.#workMs = Math.max(workMs, memory * this.#workMs);
  }

  /** The loop called back so much later than it was asked to. */
  lagged(lateMs: number): void {
    this.#lagMs = memory * this.#lagMs + (1 - memory) * Math.max(0, lateMs);
  }
}

/**
 * If append times decrease by less than this (ms), the clock stands still: two brokers' clocks differ a little. A larger decrease means
 * that a clock was set back.
 */
const toleranceMs = 1000;

/** The state of the clock that a restart needs, in ms. */
export interface ClockState {
  /** The time by which sessions close. */
  now: number;
  /** The append time that corresponds to it. */
  mark: number;
}

/**
 * The log's clock: it advances as append times grow from record to record. Where they decrease, because the clock of the log's machine was
 * set back, it continues from there at the same pace: a record that was appended by a clock that was wrong by a year does not stop it for a
 * year.
 */
export class LogClock {
  #nowMs: number;
  #markMs: number;
  /** How often the append times decreased. */
  setbacks = 0;

  constructor(state: ClockState = { now: 0, mark: 0 }) {
    this.#nowMs = state.now;
    this.#markMs = state.mark;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The append time of the last record, except for small differences. */
  get markMs(): number {
    return this.#markMs;
  }

  get state(): ClockState {
    return { now: this.#nowMs, mark: this.#markMs };
  }

  /** A record with this append time was read. */
  advance(appendTimeMs: number): void {
    if (appendTimeMs >= this.#markMs) {
      this.#nowMs += appendTimeMs - this.#markMs;
      this.#markMs = appendTimeMs;
    } else if (this.#markMs - appendTimeMs > toleranceMs) {
      this.#markMs = appendTimeMs;
      this.setbacks++;
    }
  }
}

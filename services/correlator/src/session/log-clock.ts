/** A clock that falls by less (ms) is waited for: two brokers' clocks differ a little. One that falls by more was set back. */
const toleranceMs = 1000;

/** What a restart needs of the clock, in ms. */
export interface ClockState {
  /** The time by which sessions close. */
  now: number;
  /** The append time that it stands for. */
  mark: number;
}

/**
 * The log's clock: it goes on by what append times grow from record to record. Where they fall, because the clock of the log's machine was
 * set back, it goes on from there at the same pace: a record that was appended by a clock that was wrong by a year does not hold it for a year.
 */
export class LogClock {
  #nowMs: number;
  #markMs: number;
  /** How often the append times fell. */
  setbacks = 0;

  constructor(state: ClockState = { now: 0, mark: 0 }) {
    this.#nowMs = state.now;
    this.#markMs = state.mark;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The append time of the last record, but for small differences. */
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

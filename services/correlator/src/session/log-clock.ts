/** A clock that falls by less (ms) is waited for: two brokers' clocks differ a little. One that falls by more was set back. */
const toleranceMs = 1000;

/** What a restart needs of the clock, in ms. */
export interface ClockState {
  /** The time by which groups close. */
  now: number;
  /** The append time that it stands for. */
  mark: number;
}

/**
 * The log's clock: it goes on by what append times grow from record to record. Where they fall, because the clock of the log's machine was
 * set back, it goes on from there at the same pace: a record that was appended by a clock that was wrong by a year does not hold it for a year.
 */
export class LogClock {
  #now: number;
  #mark: number;
  /** How often the append times fell. */
  setbacks = 0;

  constructor(state: ClockState = { now: 0, mark: 0 }) {
    this.#now = state.now;
    this.#mark = state.mark;
  }

  get now(): number {
    return this.#now;
  }

  /** The append time of the last record, but for small differences. */
  get mark(): number {
    return this.#mark;
  }

  get state(): ClockState {
    return { now: this.#now, mark: this.#mark };
  }

  /** A record with this append time was read. */
  advance(timestamp: number): void {
    if (timestamp >= this.#mark) {
      this.#now += timestamp - this.#mark;
      this.#mark = timestamp;
    } else if (this.#mark - timestamp > toleranceMs) {
      this.#mark = timestamp;
      this.setbacks++;
    }
  }
}

/** The state of the clock that is kept between two starts, in ms. */
export interface RemovalClockState {
  now: number;
  /** How far the machine's clock is ahead of this one, and for how much running time it has been; 0 if both agree. */
  aheadMs: number;
  heldMs: number;
}

export interface RemovalClockOptions {
  load: () => Promise<RemovalClockState | undefined>;
  save: (state: RemovalClockState) => Promise<void>;
  /** Used while no state is stored: a time that has certainly passed, such as that of the newest data; undefined if there is none. */
  reached?: () => Promise<number | undefined>;
  /** Called at each reading at which the machine's clock is ahead by more than the time that can have passed. */
  onAhead: (state: RemovalClockState) => void;
  /** The machine's clock in ms. */
  nowMs?: () => number;
  /** Monotonic time in ms, unaffected by changes of the machine's clock. */
  passed?: () => number;
}

/** How much (ms) the machine's clock may gain on the monotonic one between two readings. */
const gainMs = 60_000;
/** How long a stop may take (ms) before the clock is doubted: a longer stop looks like a clock that was set ahead. */
const stopMs = 2 * 3_600_000;
/** A clock that has been ahead for this much running time (ms) is right: it was corrected, or the process had been stopped. */
const confirmedMs = 24 * 3_600_000;

/**
 * The time by which data is removed because of its age. It follows the machine's clock, except after a jump ahead: then it continues at the
 * pace of the monotonic clock until the jump has lasted for a day, so that a clock that is wrong by a year removes nothing too early.
 */
export class RemovalClock {
  readonly #options: RemovalClockOptions;
  readonly #now: () => number;
  readonly #passed: () => number;
  #last: { state: RemovalClockState; at: number } | undefined;

  constructor(options: RemovalClockOptions) {
    this.#options = options;
    this.#now = options.nowMs ?? Date.now;
    this.#passed = options.passed ?? (() => performance.now());
  }

  /** The time in ms. Rejects when the stored state cannot be read or written; nothing must be removed then. */
  async read(): Promise<number> {
    const before = this.#last?.state ?? (await this.#kept());
    // Read after the slow operations.
    const [wall, at] = [this.#now(), this.#passed()];
    const state = after(before, wall, this.#last === undefined ? undefined : at - this.#last.at);
    await this.#options.save(state);
    this.#last = { state, at };
    if (state.aheadMs > 0) this.#options.onAhead(state);
    return state.now;
  }

  /** The time in ms without reading the stored state: never later than the result of read(); -Infinity before the first read(). */
  get latest(): number {
    if (this.#last === undefined) return -Infinity;
    const { state, at } = this.#last;
    return Math.min(this.#now(), state.now + this.#passed() - at);
  }

  async #kept(): Promise<RemovalClockState> {
    const { load, reached } = this.#options;
    return (await load()) ?? { now: (await reached?.()) ?? this.#now(), aheadMs: 0, heldMs: 0 };
  }
}

/** The state at a reading of the machine's clock; `passedMs` is undefined at the first one of a process. */
function after(
  { now, aheadMs, heldMs }: RemovalClockState,
  wall: number,
  passedMs: number | undefined,
): RemovalClockState {
  const expected = now + (passedMs ?? 0);
  const ahead = wall - expected;
  const agreed = { now: wall, aheadMs: 0, heldMs: 0 };
  // The stop cannot explain a jump that was noticed before the restart.
  if (ahead <= (passedMs === undefined && aheadMs === 0 ? stopMs : gainMs)) return agreed;
  // Across a restart the difference grows by the duration of the stop, which does not contradict it.
  const isNew = aheadMs === 0 || (passedMs !== undefined && ahead > aheadMs + gainMs);
  const held = isNew ? 0 : heldMs + (passedMs ?? 0);
  return held >= confirmedMs ? agreed : { now: expected, aheadMs: ahead, heldMs: held };
}

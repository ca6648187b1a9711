/** What is kept of the clock between two starts, in ms. */
export interface RemovalClockState {
  now: number;
  /** How far the machine's clock is ahead of it, and for how long of running time it has been; 0 where both agree. */
  aheadMs: number;
  heldMs: number;
}

export interface RemovalClockOptions {
  load: () => Promise<RemovalClockState | undefined>;
  save: (state: RemovalClockState) => Promise<void>;
  /** Where nothing was kept yet: a time that has been reached for certain, as that of the newest data; undefined where there is none. */
  reached?: () => Promise<number | undefined>;
  /** Called at each reading at which the machine's clock is ahead of what can have passed. */
  onAhead: (state: RemovalClockState) => void;
  /** The machine's clock in ms. */
  now?: () => number;
  /** Ms that have passed since any point, whatever happens to the machine's clock. */
  passed?: () => number;
}

/** The machine's clock may gain so much (ms) on the monotonic one between two readings. */
const gainMs = 60_000;
/** What a stop may take without doubt about the clock: nobody can tell a longer one from a clock that was set ahead. */
const stopMs = 2 * 3_600_000;
/** A clock that has been ahead for so long of running time (ms) is right: somebody set it, or the process had been stopped. */
const confirmedMs = 24 * 3_600_000;

/**
 * The time by which data is removed because of its age. It follows the machine's clock, but for a jump ahead: then it goes on at the pace of
 * the monotonic clock, so that a clock that is wrong by a year removes nothing before its time, until the jump has stood for a day.
 */
export class RemovalClock {
  readonly #options: RemovalClockOptions;
  readonly #now: () => number;
  readonly #passed: () => number;
  #last: { state: RemovalClockState; at: number } | undefined;

  constructor(options: RemovalClockOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#passed = options.passed ?? (() => performance.now());
  }

  /** The time in ms. Rejects when what was kept cannot be read or written; nothing is to be removed then. */
  async read(): Promise<number> {
    const before = this.#last?.state ?? (await this.#kept());
    // Read after what takes time.
    const [wall, at] = [this.#now(), this.#passed()];
    const state = after(before, wall, this.#last === undefined ? undefined : at - this.#last.at);
    await this.#options.save(state);
    this.#last = { state, at };
    if (state.aheadMs > 0) this.#options.onAhead(state);
    return state.now;
  }

  /** The time in ms without a look at what was kept: never later than what read() would return, -Infinity before the first of it. */
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
  // A jump that was noticed before a restart is none that the stop can explain.
  if (ahead <= (passedMs === undefined && aheadMs === 0 ? stopMs : gainMs)) return agreed;
  // Across a restart it grows by what the stop took, which says nothing against it.
  const isNew = aheadMs === 0 || (passedMs !== undefined && ahead > aheadMs + gainMs);
  const held = isNew ? 0 : heldMs + (passedMs ?? 0);
  return held >= confirmedMs ? agreed : { now: expected, aheadMs: ahead, heldMs: held };
}

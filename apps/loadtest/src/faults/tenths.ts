/** What happened in a tenth of a second of the run, for viewers or for the sender; a fault and its end are seen by it. */
export interface Tenth {
  /** Its number since the start of the run. */
  tenth: number;
  /** Viewers that should watch and did not, at most. */
  absent: number;
  /** Events that arrived at viewers, or were acknowledged to the sender. */
  arrived: number;
  /** The longest that one of them took since its intended time, in ms. */
  worstMs: number;
  /** Connections and requests that failed, other than by the scenario. */
  failed: number;
}

/** Collects the tenths of a second of one process until they are sent. */
export class TenthsRecorder {
  readonly #tenths = new Map<number, Tenth>();

  /** The tenth of that moment, in seconds since the start of the run. */
  at(seconds: number): Tenth {
    const tenth = tenthOf(seconds);
    let found = this.#tenths.get(tenth);
    if (found === undefined) this.#tenths.set(tenth, (found = emptyTenth(tenth)));
    return found;
  }

  /** Those that are over at that moment, in seconds since the start of the run. */
  take(seconds: number): Tenth[] {
    const now = tenthOf(seconds);
    const over = [...this.#tenths.values()].filter(({ tenth }) => tenth < now);
    for (const { tenth } of over) this.#tenths.delete(tenth);
    return over;
  }
}

/** The tenths of all processes of a kind, added up. */
export class TenthsTotal {
  readonly #tenths: Tenth[] = [];

  add(tenths: readonly Tenth[]): void {
    for (const { tenth, absent, arrived, worstMs, failed } of tenths) {
      if (tenth < 0) continue;
      while (this.#tenths.length <= tenth) this.#tenths.push(emptyTenth(this.#tenths.length));
      const total = this.#tenths[tenth]!;
      total.absent += absent;
      total.arrived += arrived;
      total.worstMs = Math.max(total.worstMs, worstMs);
      total.failed += failed;
    }
  }

  /** Every tenth from the start of the run, in order. */
  get all(): readonly Tenth[] {
    return this.#tenths;
  }
}

export function tenthOf(seconds: number): number {
  return Math.floor(seconds * 10 + 1e-6);
}

function emptyTenth(tenth: number): Tenth {
  return { tenth, absent: 0, arrived: 0, worstMs: 0, failed: 0 };
}

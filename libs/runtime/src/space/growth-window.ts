/** Growth over less than this (ms) says little about a day. */
const shortestMs = 3_600_000;
const longestMs = 24 * 3_600_000;
const sampleMs = 60_000;
const dayMs = 86_400_000;

/** How fast something grew, as measured. */
export interface Growth {
  bytesPerDay: number;
  /** The time over which it was measured. */
  windowSeconds: number;
}

/** The sizes of the last day, and the rate that follows from them. */
export class GrowthWindow {
  #samples: { atMs: number; bytes: number }[] = [];

  /** Takes one size a minute; the others in between are dropped. */
  add(atMs: number, bytes: number): void {
    const last = this.#samples.at(-1);
    // The clock was set back: nothing before can be compared.
    if (last !== undefined && atMs < last.atMs) this.#samples = [];
    else if (last !== undefined && atMs < last.atMs + sampleMs) return;
    this.#samples.push({ atMs, bytes });
    const kept = this.#samples.findIndex((sample) => sample.atMs >= atMs - longestMs);
    this.#samples.splice(0, kept);
  }

  /** Undefined while the time is too short to tell. */
  get growth(): Growth | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const windowMs = last.atMs - first.atMs;
    if (windowMs < shortestMs) return undefined;
    return {
      bytesPerDay: Math.round(((last.bytes - first.bytes) / windowMs) * dayMs),
      windowSeconds: Math.round(windowMs / 1000),
    };
  }
}

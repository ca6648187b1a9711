import type { Slice } from '@logloom/column-store';
import type { TimeRange } from '../search-store.ts';
import type { CandidateBlock, Candidates } from './candidates.ts';
import type { FilteredEvents } from './filtered-events.ts';
import { overlaps } from './time-range.ts';

/** A block of rows, or a whole slice where there is no index. */
interface Part {
  slice: Slice;
  block: CandidateBlock | undefined;
  fromMicros: number;
  toMicros: number;
}

/**
 * The rows that may match, from one end of time on, in growing steps: a filter that matches often ends after the first, and one that
 * matches rarely is read by all threads.
 */
export class TimeWalk {
  readonly #events: FilteredEvents;
  readonly #range: TimeRange;
  readonly #isDescending: boolean;
  /** Not looked at yet, the next one last. */
  readonly #slices: Slice[];
  #parts: Part[] = [];
  #partsAtOnce: number;
  #slicesAtOnce = 1;

  /** `firstParts`: how many blocks are read at first. */
  constructor(
    events: FilteredEvents,
    { range, order, firstParts }: { range: TimeRange; order: 'asc' | 'desc'; firstParts: number },
  ) {
    this.#partsAtOnce = firstParts;
    this.#events = events;
    this.#range = range;
    this.#isDescending = order === 'desc';
    this.#slices = events.slicesIn(range).sort((a, b) => this.#compare(b, a));
  }

  /** The next rows; may be none. */
  async next(): Promise<Candidates[]> {
    while (this.#slices.length > 0 && this.#parts.length < this.#partsAtOnce) await this.#look();
    const taken = this.#parts.splice(0, this.#partsAtOnce);
    this.#partsAtOnce *= 2;
    const bySlice = Map.groupBy(taken, ({ slice }) => slice);
    return [...bySlice].map(([slice, parts]) => ({
      slice,
      blocks: parts[0]!.block === undefined ? undefined : parts.map(({ block }) => block!),
    }));
  }

  /** Whether rows are left that may come before or at this time; undefined: whether any are left. */
  hasBefore(micros: number | undefined): boolean {
    const rest = [this.#parts[0], this.#slices.at(-1)].filter((part) => part !== undefined);
    if (micros === undefined) return rest.length > 0;
    return rest.some((part) => (this.#isDescending ? part.toMicros >= micros : part.fromMicros <= micros));
  }

  async #look(): Promise<void> {
    const slices = this.#slices.splice(-this.#slicesAtOnce);
    this.#slicesAtOnce *= 2;
    for (const { slice, blocks } of await this.#events.candidatesOf(slices)) {
      const { fromMicros, toMicros } = slice;
      if (blocks === undefined) this.#parts.push({ slice, block: undefined, fromMicros, toMicros });
      else
        for (const block of blocks)
          if (overlaps(block, this.#range))
            this.#parts.push({ slice, block, fromMicros: block.fromMicros, toMicros: block.toMicros });
    }
    this.#parts.sort((a, b) => this.#compare(a, b));
  }

  #compare(a: { fromMicros: number; toMicros: number }, b: { fromMicros: number; toMicros: number }): number {
    return this.#isDescending ? b.toMicros - a.toMicros : a.fromMicros - b.fromMicros;
  }
}

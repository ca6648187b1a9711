import type { ReadView, Slice } from '@logloom/column-store';
import { compileDuckDb, type Filter } from '@logloom/filter';
import type { TimeRange } from '../search-store.ts';
import { candidatesOf, relationOf, type Candidates } from './candidates.ts';
import { overlaps, rangeCondition } from './time-range.ts';

/** The events of a view that match a filter. One query looks each slice up in its index once, whatever it asks of this. */
export class FilteredEvents {
  readonly view: ReadView;
  readonly #filter: Filter;
  readonly #condition: string;
  /** Undefined: no row of the slice can match. */
  readonly #known = new Map<Slice, Candidates | undefined>();

  constructor(view: ReadView, filter: Filter) {
    this.view = view;
    this.#filter = filter;
    this.#condition = compileDuckDb(filter);
  }

  /** The slices with events of the range, the latest first. */
  slicesIn(range: TimeRange): Slice[] {
    return this.view.slices.filter((slice) => overlaps(slice, range));
  }

  /** As candidatesOf(). */
  async candidatesOf(slices: readonly Slice[]): Promise<Candidates[]> {
    const unknown = slices.filter((slice) => !this.#known.has(slice));
    const found = await candidatesOf(this.view, this.#filter.ast, unknown);
    for (const slice of unknown) this.#known.set(slice, undefined);
    for (const each of found) this.#known.set(each.slice, each);
    return slices.flatMap((slice) => this.#known.get(slice) ?? []);
  }

  /** SQL: exactly the matching events of the range. */
  condition(range: TimeRange): string {
    return `${rangeCondition(range)} AND (${this.#condition})`;
  }
}

/** SQL: `relation WHERE condition`, exactly the matching events of the range; rows that the indexes exclude are not read. */
export async function matchingEvents(view: ReadView, filter: Filter, range: TimeRange): Promise<string> {
  const events = new FilteredEvents(view, filter);
  const candidates = await events.candidatesOf(events.slicesIn(range));
  return `${relationOf(view, candidates, true)} WHERE ${events.condition(range)}`;
}

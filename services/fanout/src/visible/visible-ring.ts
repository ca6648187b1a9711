import type { LiveItem } from '../stream/stream-kind.ts';
import type { RecentItems } from '../history/history-source.ts';
import type { SeenDocument } from './seen-document.ts';

/** The newest documents as one imposed filter passes them, from the stream's start on: a view of the shared ring. */
export class VisibleRing<T> implements RecentItems {
  readonly #recent: RecentItems<SeenDocument<T>>;
  readonly #filter: T;
  readonly #firstPlace: number;
  readonly #from: readonly number[];

  /** `position`: the stream's position; earlier documents were not evaluated for this filter. */
  constructor(recent: RecentItems<SeenDocument<T>>, filter: T, position: readonly number[]) {
    this.#recent = recent;
    this.#filter = filter;
    this.#firstPlace = recent.end;
    this.#from = [...position];
  }

  get first(): number {
    return Math.max(this.#recent.first, this.#firstPlace);
  }

  get end(): number {
    return this.#recent.end;
  }

  at(place: number): LiveItem {
    return this.#recent.at(place).itemFor(this.#filter);
  }

  reach(partition: number): number {
    return Math.max(this.#recent.reach(partition), this.#from[partition]!);
  }

  reaches(offsets: readonly number[]): boolean {
    return this.#recent.reaches(offsets) && offsets.every((offset, p) => offset >= this.#from[p]!);
  }

  placeOf(offsets: readonly number[]): number {
    return this.#recent.placeOf(offsets);
  }
}

import { chooseBuckets, type Buckets } from '../histogram-interval.ts';
import {
  keyText,
  maxCells,
  type Aggregate,
  type AggregateGroup,
  type AggregateQuery,
  type GroupKey,
} from './aggregate-query.ts';

export interface KnownRange {
  fromMicros: number;
  toMicros: number;
}

type Cell = Pick<AggregateGroup, 'value' | 'count'>;

/** The groups' values by interval, of those groups that are returned. */
export class BucketGrid {
  readonly #buckets: Buckets;
  readonly #range: KnownRange;
  readonly #query: AggregateQuery;
  readonly #cells = new Map<string, Map<number, Cell>>();

  /** Throws SearchStoreError `too-many-buckets`. */
  constructor(query: AggregateQuery, range: KnownRange) {
    const { interval } = query;
    this.#query = query;
    this.#range = range;
    this.#buckets = chooseBuckets(
      range.fromMicros,
      range.toMicros,
      interval === 'auto' ? undefined : interval,
    );
  }

  get widthMicros(): number {
    return this.#buckets.intervalMs * 1000;
  }

  /** How many groups may be returned. */
  get limit(): number {
    const { limit } = this.#query;
    return Math.min(limit, Math.max(1, Math.floor(maxCells / this.#length)));
  }

  /** The value of a group in the interval that starts at `index` times its width. */
  set(key: GroupKey, index: number, { value, count }: Cell): void {
    const text = keyText(key);
    let row = this.#cells.get(text);
    if (row === undefined) this.#cells.set(text, (row = new Map<number, Cell>()));
    row.set(index, { value, count });
  }

  /** The result with the buckets of its groups, also those without events. */
  fill(result: Omit<Aggregate, 'intervals'>): Aggregate {
    const { metric } = this.#query;
    const empty = { value: metric === 'count' || metric === 'distinct' ? 0 : null, count: 0 };
    const groups = result.groups.map((group) => {
      const row = this.#cells.get(keyText(group.key));
      const buckets = Array.from({ length: this.#length }, (_, i) => {
        const index = this.#buckets.first + i;
        return { startMicros: index * this.widthMicros, ...(row?.get(index) ?? empty) };
      });
      return { ...group, buckets };
    });
    return { ...result, groups, intervals: { intervalMs: this.#buckets.intervalMs, ...this.#range } };
  }

  get #length(): number {
    return this.#buckets.last - this.#buckets.first + 1;
  }
}

import type { Filter } from '@logloom/filter';
import type { TimeRange } from '../time-range.ts';

export const metrics = ['count', 'min', 'max', 'avg', 'sum', 'p50', 'p95', 'p99', 'distinct'] as const;

/**
 * A value for each group. `count`: its events. `distinct`: the different values of `of`. The others are about numbers: JSON numbers, and
 * strings that write one in decimal, as in filters (`"12"` is a number, `"12ms"` is not); of a list, each different number counts.
 */
export type Metric = (typeof metrics)[number];

/** The parts of the percentiles. */
export const percentileParts: Partial<Record<Metric, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 };

export interface AggregateQuery extends TimeRange {
  filter: Filter;
  /** The events that define the range of the buckets if it is absent; default: all. */
  scope?: Filter | undefined;
  /** The fields to group by, as fields() names them; none: one group of all events. An event with a list is in the group of each value. */
  by: readonly string[];
  metric: Metric;
  /** The field that the metric is about; none for `count`. `attributes.<path>`, for `distinct` any field that `by` takes. */
  of?: string | undefined;
  /** Also a value for each interval of time, ms; `auto`: about 60 intervals. */
  interval?: number | 'auto' | undefined;
  /** How many groups are returned; fewer, if they would have more than 20,000 buckets together. */
  limit: number;
}

/** A group's key: the text of each field's value, so that `5` and `"5"` are one; null: its events have no such value. */
export type GroupKey = readonly (string | null)[];

export interface AggregateBucket {
  startMicros: number;
  /** Of the events of the interval. */
  value: number | null;
  count: number;
}

export interface AggregateGroup {
  key: GroupKey;
  /** null: no event of the group has a number. Percentiles are by nearest rank, if they are exact. */
  value: number | null;
  /** How many events are in the group. */
  count: number;
  /** How many of them have no value, or no number, of `of`. */
  missing: number;
  /** Every interval that touches the range, ascending. */
  buckets?: AggregateBucket[];
}

export interface Aggregate {
  /** The highest values first. */
  groups: AggregateGroup[];
  /** What is not among them: groups, and the events in those. */
  other: { groups: number; events: number };
  /** Whether the values are exact: the engine may estimate percentiles and distinct values. */
  exact: boolean;
  /** The buckets' interval and range. */
  intervals?: { intervalMs: number; fromMicros: number; toMicros: number };
}

/** The buckets of all groups together. */
export const maxCells = 20_000;

/** The highest values first, then the most events, then by key. */
export function sortGroups(groups: AggregateGroup[]): AggregateGroup[] {
  const rank = (value: number | null): number => value ?? -Infinity;
  return groups.sort(
    (a, b) =>
      Math.sign(rank(b.value) - rank(a.value)) ||
      b.count - a.count ||
      (keyText(a.key) < keyText(b.key) ? -1 : 1),
  );
}

/** A key as a text, which is the same for equal keys only. */
export function keyText(key: GroupKey): string {
  return JSON.stringify(key);
}

/** The first of the sorted groups, and what is not among them. */
export function topGroups(
  sorted: readonly AggregateGroup[],
  limit: number,
): Pick<Aggregate, 'groups' | 'other'> {
  const left = sorted.slice(limit);
  const events = left.reduce((sum, { count }) => sum + count, 0);
  return { groups: sorted.slice(0, limit), other: { groups: left.length, events } };
}

import { maxBuckets, SearchStoreError } from './search-store.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Intervals that are easy to read on an axis, in milliseconds. */
const niceIntervals = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 30, 90, 365, 3650].map((n) => n * day),
];
const wantedBuckets = 60;

/** A histogram's buckets: the interval and the starts of the first and the last bucket, as multiples of it. */
export interface Buckets {
  intervalMs: number;
  first: number;
  last: number;
}

/**
 * The buckets for a range in microseconds, `to` excluded. Without `intervalMs`, the smallest nice interval that needs at most about
 * 60. Throws SearchStoreError `too-many-buckets` past 1,000.
 */
export function chooseBuckets(from: number, to: number, intervalMs?: number): Buckets {
  const span = (to - from) / 1000;
  const chosen =
    intervalMs ?? niceIntervals.find((nice) => span / nice <= wantedBuckets) ?? niceIntervals.at(-1)!;
  const first = Math.floor(from / (chosen * 1000));
  const last = Math.max(first, Math.ceil(to / (chosen * 1000)) - 1);
  if (last - first >= maxBuckets) {
    throw new SearchStoreError(
      'too-many-buckets',
      `an interval of ${chosen} ms makes ${last - first + 1} buckets; at most ${maxBuckets} are allowed`,
    );
  }
  return { intervalMs: chosen, first, last };
}

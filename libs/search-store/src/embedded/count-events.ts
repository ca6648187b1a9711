import { ReadInterrupted } from '@logloom/column-store';
import { maxTotal, type TimeRange, type Total } from '../search-store.ts';
import { relationOf, type Candidates } from './candidates.ts';
import type { FilteredEvents } from './filtered-events.ts';

/** Slices that are counted at first, and how many times as many then: what was counted is kept when the time is over. */
const firstSlices = 2;
const growth = 2;

/** Counts the newest events first, for a while; then returns what it has. */
export async function countEvents(
  matching: FilteredEvents,
  range: TimeRange,
  limitMs: number,
): Promise<Total> {
  const end = performance.now() + limitMs;
  const { view } = matching;
  const where = matching.condition(range);
  const slices = matching.slicesIn(range);
  let value = 0;
  for (let next = 0, step = firstSlices; next === 0 || next < slices.length; next += step, step *= growth) {
    const left = end - performance.now();
    if (left <= 0) return { value, exact: false };
    const candidates = await matching.candidatesOf(slices.slice(next, next + step));
    const unknown = candidates.filter((each) => {
      const isKnown = isCounted(each, range);
      if (isKnown) value += each.matches!;
      return !isKnown;
    });
    try {
      const sql = `SELECT count(*) FROM ${relationOf(view, unknown, next === 0)} WHERE ${where}`;
      const [row] = await view.rows(sql, { limitMs: left });
      value += Number(row![0]);
    } catch (error) {
      if (isTimeout(error) && end <= performance.now()) return { value, exact: false };
      throw error;
    }
    if (value > maxTotal) return { value: maxTotal, exact: false };
  }
  return { value, exact: true };
}

/** Whether the index says how many events match: all rows are in the range, and none is hidden. */
function isCounted({ slice, matches }: Candidates, { fromMicros, toMicros }: TimeRange): boolean {
  const isWithin = slice.fromMicros >= (fromMicros ?? -Infinity) && slice.toMicros < (toMicros ?? Infinity);
  return matches !== undefined && isWithin && slice.hidden.search === 0;
}

/** The limit of one statement ends it in the same way as that of the whole query. */
export function isTimeout(error: unknown): boolean {
  return error instanceof ReadInterrupted && error.reason === 'timeout';
}

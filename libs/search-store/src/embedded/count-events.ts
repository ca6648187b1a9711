import { ReadInterrupted, type ReadView } from '@logloom/column-store';
import { compileDuckDb, type Filter } from '@logloom/filter';
import { maxTotal, type TimeRange, type Total } from '../search-store.ts';
import { relationOf } from './candidates.ts';
import { rangeCondition } from './time-range.ts';
import { TimeWalk } from './time-walk.ts';

/** Blocks that are counted at first. */
const firstParts = 32;

/** Counts the newest events first, for a while; then returns what it has. */
export async function countEvents(
  view: ReadView,
  filter: Filter,
  range: TimeRange,
  limitMs: number,
): Promise<Total> {
  const end = performance.now() + limitMs;
  const where = `${rangeCondition(range)} AND (${compileDuckDb(filter)})`;
  const walk = new TimeWalk(view, filter, { range, order: 'desc', firstParts });
  let value = 0;
  for (let isFirst = true; isFirst || walk.hasBefore(undefined); isFirst = false) {
    const left = end - performance.now();
    if (left <= 0) return { value, exact: false };
    const relation = relationOf(view, await walk.next(), isFirst);
    try {
      const sql = `SELECT count(*) FROM ${relation} WHERE ${where}`;
      const [row] = await view.rows(sql, [], { limitMs: left });
      value += Number(row![0]);
    } catch (error) {
      if (isTimeout(error) && end <= performance.now()) return { value, exact: false };
      throw error;
    }
    if (value > maxTotal) return { value: maxTotal, exact: false };
  }
  return { value, exact: true };
}

/** The limit of one statement ends it in the same way as that of the whole query. */
export function isTimeout(error: unknown): boolean {
  return error instanceof ReadInterrupted && error.reason === 'timeout';
}

import type { Slice } from '@logloom/column-store';
import { sqlMicros } from '@logloom/filter';
import type { TimeRange } from '../search-store.ts';

/** Whether the slice has events between the times of its first and last that lie in the range. */
export function overlaps(
  { fromMicros, toMicros }: Pick<Slice, 'fromMicros' | 'toMicros'>,
  range: TimeRange,
): boolean {
  return toMicros >= (range.fromMicros ?? -Infinity) && fromMicros < (range.toMicros ?? Infinity);
}

/** SQL: whether `timestamp` is in the range. */
export function rangeCondition({ fromMicros, toMicros }: TimeRange): string {
  const parts: string[] = [];
  if (fromMicros !== undefined) parts.push(`timestamp >= ${sqlMicros(fromMicros)}`);
  if (toMicros !== undefined) parts.push(`timestamp < ${sqlMicros(toMicros)}`);
  return parts.join(' AND ') || 'TRUE';
}

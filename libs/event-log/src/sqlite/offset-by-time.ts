import type { PartitionTable } from './partition-table.ts';

/**
 * The first record of [start, end) after the last one that is older than a time. Timestamps decrease only where the clock was set back
 * (`eras`, descending offsets); between two such records they ascend, so bisection on the primary key finds it. An index on the time would
 * cost every append, for a rare query.
 */
export function offsetByTime(
  table: PartitionTable,
  { start, end, eras }: { start: number; end: number; eras: readonly number[] },
  timestampMs: number,
): number {
  let high = end;
  for (const offset of eras) {
    const first = table.at(offset);
    if (first !== undefined && first[2] < timestampMs) return bisect(table, offset, high, timestampMs);
    high = offset;
  }
  return bisect(table, start, high, timestampMs);
}

function bisect(table: PartitionTable, from: number, to: number, timestampMs: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    // Offsets may have a hole; the record before it is used.
    const middle = Math.floor((low + high) / 2);
    const [offset, count, timestamp] = table.at(middle)!;
    if (timestamp < timestampMs) low = Math.max(offset + count, middle + 1);
    else high = offset;
  }
  return low;
}

import { batchFormats } from './batch-format.ts';
import { isIntact, type PartitionTable } from './partition-table.ts';
import { unpackBatch } from './record-batch.ts';

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
    if (first !== undefined && first[2] < timestampMs) return search(table, offset, high, timestampMs);
    high = offset;
  }
  return search(table, start, high, timestampMs);
}

function search(table: PartitionTable, from: number, to: number, timestampMs: number): number {
  const found = firstBatch(table, from, to, timestampMs);
  return found > from ? withinBatch(table, found, timestampMs) : found;
}

/** The batch before `end` begins too early, but may have been joined of several, of which the last are not too old. */
function withinBatch(table: PartitionTable, end: number, timestampMs: number): number {
  const batch = table.row(end - 1);
  if (batch?.format !== batchFormats.joined || !isIntact(batch)) return end;
  let offset = batch.offset;
  for (const run of unpackBatch(batch).runs) {
    if (run.timestampMs >= timestampMs) return Math.min(offset, end);
    offset += run.count;
  }
  return end;
}

/** The first batch of [from, to) that begins at the time or later; `to` where there is none. */
function firstBatch(table: PartitionTable, from: number, to: number, timestampMs: number): number {
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

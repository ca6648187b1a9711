/**
 * By how much offsets go on when the log is restored from a backup: more than the log that the backup was made of can have given out since.
 * At 10,000 records a second in one partition that is three years. Positions stay contiguous modulo this number.
 */
export const restoredOffsets = 2 ** 40;

/** Offsets of a partition that never held a record of this log, though they may have named records of the one that it was restored from. */
export interface SkippedOffsets {
  partition: number;
  /** The end of the log in the backup. */
  from: number;
  /** The offset of the first record that was appended after the restore. */
  to: number;
}

/** The part of EventLog that tells them. */
interface SkippingLog {
  skippedOffsets?(topic: string): readonly SkippedOffsets[];
}

/** The offset that lies `count` offsets before this one, or at a lower one; offsets that were skipped do not count. It may be negative. */
export function offsetBefore(
  log: SkippingLog,
  topic: string,
  partition: number,
  offset: number,
  count: number,
): number {
  let end = offset;
  let left = count;
  for (const skip of (log.skippedOffsets?.(topic) ?? []).toReversed()) {
    if (skip.partition !== partition || end <= skip.from) continue;
    const behind = end - skip.to;
    if (behind > 0 && behind >= left) break;
    left -= Math.max(0, behind);
    end = skip.from;
  }
  return end - left;
}

/** How many offsets of [from, to) were skipped. */
export function skippedBetween(
  log: SkippingLog,
  topic: string,
  partition: number,
  from: number,
  to: number,
): number {
  let count = 0;
  for (const skip of log.skippedOffsets?.(topic) ?? [])
    if (skip.partition === partition) count += Math.max(0, Math.min(to, skip.to) - Math.max(from, skip.from));
  return count;
}

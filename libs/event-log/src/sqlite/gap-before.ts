import type { LogGap, LogRecord } from '../event-log.ts';
import type { SqliteTopic } from './topic.ts';

/**
 * The gap between `next`, the offset that a reader wants, and the records that it got; undefined if there is none. Offsets of this log have
 * no holes, except where records were lost.
 */
export function gapBefore(
  topic: SqliteTopic,
  partition: number,
  wanted: number,
  records: readonly LogRecord[],
): LogGap | undefined {
  const place = { topic: topic.name, partition };
  const first = records[0]?.offset;
  // A reader that has reached skipped offsets continues after them.
  const skip = topic.skips(partition).find(({ from }) => from === wanted);
  if (first === undefined && skip !== undefined && topic.endOffset(partition) === wanted) return undefined;
  const next = skip?.to ?? wanted;
  if (first === next) return undefined;
  if (first !== undefined) {
    const damaged = topic.damagedAt(partition, next);
    if (damaged !== undefined) return { ...place, ...damaged, reason: 'damaged' };
    // Damage may follow the trimmed records; it is reported as another gap.
    const start = topic.startOffset(partition);
    return { ...place, from: next, to: start > next ? start : first, reason: 'trimmed' };
  }
  const end = topic.endOffset(partition);
  if (next < end) {
    const damaged = topic.damagedAt(partition, next);
    return damaged === undefined ? undefined : { ...place, ...damaged, reason: 'damaged' };
  }
  return next <= end ? undefined : { ...place, from: end, to: next, reason: 'lost-end' };
}

/** The offset at which a reader continues after the gap. */
export function offsetAfter({ reason, from, to }: LogGap): number {
  return reason === 'lost-end' ? from : to;
}

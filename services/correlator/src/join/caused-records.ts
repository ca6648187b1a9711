import type { Cause } from '@logloom/schemas';
import type { JoinEffect, JoinLink } from './join-effects.ts';

/** A Link record to write; no cause where it may be repeated. */
export interface CausedLink extends JoinLink {
  isBackfill: boolean;
  cause: Cause | null;
}

/** A Forward record to write, for the member whose record is at `member`. */
export interface CausedForward {
  type: 'forward';
  member: number;
  into: string;
  kind: string;
  isBackfill: boolean;
  cause: Cause;
}

/** The records for the effects of one partition, in order, from those of the record at `from` on. */
export function causedRecords(
  effects: readonly JoinEffect[],
  partition: number,
  from: number,
): (CausedLink | CausedForward)[] {
  const records: (CausedLink | CausedForward)[] = [];
  let last = -1;
  let sequence = 0;
  for (const effect of effects) {
    const { offset, isBackfill } = effect;
    if (offset < from) continue;
    if (offset !== last) sequence = 0;
    last = offset;
    if (effect.type === 'forward') {
      const { into, kind } = effect;
      for (const member of effect.offsets)
        records.push({
          type: 'forward',
          member,
          into,
          kind,
          isBackfill,
          cause: { partition, offset, sequence: sequence++ },
        });
      continue;
    }
    const { id, into, kind, rank } = effect;
    // Whether an id joined too many depends on how long the process has run: it has no part in the order.
    const cause = into === '' ? null : { partition, offset, sequence: sequence++ };
    records.push({ type: 'link', id, into, kind, rank, isBackfill, cause });
  }
  return records;
}

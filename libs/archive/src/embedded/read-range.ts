import type { ReadView, Slice } from '@logloom/column-store';
import { sqlLiteral } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import { maxAnswerBytes } from '../event-bytes.ts';
import { archivedColumns } from './archived-row.ts';
import { eventsOf } from './read-events.ts';

/** How many offsets one look covers: few enough that it reads few row groups. */
const offsetsPerLook = 8192;

export interface OffsetRange {
  epoch: string | undefined;
  partition: number;
  fromOffset: number;
  /** Not part of it. */
  toOffset: number;
  limit: number;
}

/** As Archive.range(). */
export async function eventsOfRange(view: ReadView, range: OffsetRange): Promise<PlacedEvent[]> {
  const { epoch, partition, toOffset, limit } = range;
  const isOfEpoch = epoch === undefined ? 'TRUE' : `(epoch IS NULL OR epoch = ${sqlLiteral(epoch)})`;
  for (let from = range.fromOffset; from < toOffset;) {
    const to = Math.min(toOffset, from + offsetsPerLook);
    const only = (slice: Slice): boolean => offsetsFrom(slice, range, from) < to;
    const events = await eventsOf(
      view,
      `SELECT ${archivedColumns} FROM ${view.events({ only })} WHERE partition = ${partition} AND "offset" >= ${from}
       AND "offset" < ${to} AND ${isOfEpoch} ORDER BY "offset", id LIMIT ${limit}`,
      maxAnswerBytes,
    );
    if (events.length > 0) return events;
    from = await nextOffset(view, range, to, isOfEpoch);
  }
  return [];
}

/** The first offset from `from` on that there may be; Infinity: none. */
async function nextOffset(
  view: ReadView,
  range: OffsetRange,
  from: number,
  isOfEpoch: string,
): Promise<number> {
  const inSlices = view.slices.map((slice) => offsetsFrom(slice, range, from));
  const [row] = await view.rows(
    `SELECT min("offset") FROM ${view.events({ only: () => false })} WHERE partition = ${range.partition}
     AND "offset" >= ${from} AND ${isOfEpoch}`,
  );
  const recent = row?.[0];
  return Math.min(...inSlices, typeof recent === 'bigint' ? Number(recent) : Infinity);
}

/** The first offset from `from` on that a slice may have. */
function offsetsFrom({ places }: Slice, { epoch, partition }: OffsetRange, from: number): number {
  const ofPartition = places.filter(
    (place) =>
      place.partition === partition &&
      place.last >= from &&
      (epoch === undefined || place.epoch === null || place.epoch === epoch),
  );
  return Math.min(...ofPartition.map(({ first }) => Math.max(first, from)));
}

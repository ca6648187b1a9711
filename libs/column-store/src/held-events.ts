import type { PlacedEvent } from '@logloom/schemas';
import type { Engine } from './engine.ts';
import { keyOf } from './event-columns.ts';
import { parquetRows } from './parquet-rows.ts';
import type { PlaceRange, Slice } from './slice.ts';
import { join } from 'node:path';

/** Where to look: recent rows (a table, with a condition) and the slices. */
export interface HeldIn {
  recent: string | undefined;
  slices: readonly Slice[];
  folder: string;
}

/**
 * For each of the events the views that hold it already (bits of viewBit; 0: none). Only slices whose offsets in the log overlap those of
 * the events are read, and of them only a few columns.
 */
export async function heldViews(
  engine: Engine,
  events: readonly PlacedEvent[],
  { recent, slices, folder }: HeldIn,
): Promise<number[]> {
  const views = new Array<number>(events.length).fill(0);
  const keys = events.map(keyOf);
  const placed = indicesOf(events, (_, i) => keys[i]!.otherId === null);
  const others = indicesOf(events, (_, i) => keys[i]!.otherId !== null);
  const add = (rows: unknown[][]): void => {
    for (const [i, bits] of rows as [number, number][]) views[Number(i)]! |= Number(bits);
  };
  if (placed.length > 0) {
    const ranges = new Map<string, PlaceRange>();
    for (const i of placed) {
      const { partition, offset } = events[i]!;
      const range = ranges.get(`${keys[i]!.epoch}/${partition}`);
      if (range === undefined)
        ranges.set(`${keys[i]!.epoch}/${partition}`, {
          epoch: keys[i]!.epoch,
          partition,
          first: offset,
          last: offset,
        });
      else {
        range.first = Math.min(range.first, offset);
        range.last = Math.max(range.last, offset);
      }
    }
    const wanted = [...ranges.values()];
    const touched = slices.filter(({ places }) => places.some((place) => wanted.some(overlaps(place))));
    const lowest = Math.min(...wanted.map(({ first }) => first));
    const highest = Math.max(...wanted.map(({ last }) => last));
    const bounds = `"offset" BETWEEN ${lowest} AND ${highest} AND other_id IS NULL`;
    const relation = relationOf(recent, touched, folder, 'epoch, partition, "offset"', bounds);
    if (relation !== undefined)
      await engine.withRows(
        {
          i: { values: placed, isNumber: true },
          epoch: { values: placed.map((i) => keys[i]!.epoch), isNumber: false },
          partition: { values: placed.map((i) => events[i]!.partition), isNumber: true },
          offset: { values: placed.map((i) => events[i]!.offset), isNumber: true },
        },
        async (connection, wantedRows) =>
          add(
            (
              await connection.runAndReadAll(
                `SELECT wanted.i, bit_or(held.views) FROM ${wantedRows} AS wanted JOIN (${relation}) AS held
                 ON held.epoch = wanted.epoch AND held.partition = wanted.partition::INTEGER AND held."offset" = wanted."offset"::BIGINT
                 GROUP BY ALL`,
              )
            ).getRowsJS(),
          ),
      );
  }
  if (others.length > 0) {
    const touched = slices.filter(({ otherIds }) => otherIds > 0);
    const relation = relationOf(recent, touched, folder, 'other_id', 'other_id IS NOT NULL');
    if (relation !== undefined)
      await engine.withRows(
        {
          i: { values: others, isNumber: true },
          id: { values: others.map((i) => events[i]!.id), isNumber: false },
        },
        async (connection, wantedRows) =>
          add(
            (
              await connection.runAndReadAll(
                `SELECT wanted.i, bit_or(held.views) FROM ${wantedRows} AS wanted JOIN (${relation}) AS held
                 ON held.other_id = wanted.id GROUP BY ALL`,
              )
            ).getRowsJS(),
          ),
      );
  }
  return views;
}

function overlaps(place: PlaceRange): (range: PlaceRange) => boolean {
  return ({ epoch, partition, first, last }) =>
    place.epoch === epoch && place.partition === partition && place.first <= last && place.last >= first;
}

/** The rows of these columns with their views; undefined: there are none. */
function relationOf(
  recent: string | undefined,
  slices: readonly Slice[],
  folder: string,
  columns: string,
  where: string,
): string | undefined {
  const parts = recent === undefined ? [] : [`SELECT ${columns}, views FROM ${recent} AND ${where}`];
  for (const views of new Set(slices.map((slice) => slice.views))) {
    const files = slices.filter((slice) => slice.views === views).map(({ file }) => join(folder, file));
    parts.push(`SELECT ${columns}, ${views} AS views FROM ${parquetRows(files)} WHERE ${where}`);
  }
  return parts.length === 0 ? undefined : parts.join(' UNION ALL ');
}

function indicesOf<T>(items: readonly T[], holds: (item: T, index: number) => boolean): number[] {
  const indices: number[] = [];
  items.forEach((item, index) => {
    if (holds(item, index)) indices.push(index);
  });
  return indices;
}

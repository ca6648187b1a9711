import type { ViewName } from './views.ts';

export type SliceKind = 'events' | 'requests';

/** A file of rows that never changes. */
export interface Slice {
  /** Grows with each change of the store; unique. */
  seq: number;
  /** The file's name in the folder. */
  file: string;
  kind: SliceKind;
  /** The views that have its rows (viewBit). */
  views: number;
  rows: number;
  bytes: number;
  /** The earliest and the latest timestamp of its events; of its documents, the earliest `first_at` and the latest `last_at`. */
  fromMicros: number;
  toMicros: number;
  /** How many events have an `other_id`. */
  otherIds: number;
  /** How many of its rows retention has removed from each view. */
  hidden: Readonly<Record<ViewName, number>>;
  /** Where its events are in the log: for each partition the lowest and the highest offset. Documents: of their first events. */
  places: readonly PlaceRange[];
}

export interface PlaceRange {
  /** Null: the ids name none. */
  epoch: string | null;
  partition: number;
  first: number;
  last: number;
}

/** `2023-01-30`, for names of files. */
function dayOf(micros: number): string {
  return new Date(micros / 1000).toISOString().slice(0, 10);
}

/** The name of a new slice's file. */
export function sliceFile(kind: SliceKind, fromMicros: number, toMicros: number, seq: number): string {
  return `${kind}-${dayOf(fromMicros)}-${dayOf(toMicros)}-${seq}.parquet`;
}

/** A finished slice's name; group 1 is the name without its extension, which files beside it share. */
export const sliceName = /^((?:events|requests)-.*-\d+)\.[a-z]+$/;

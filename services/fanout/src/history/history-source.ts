import type { LiveItem, StreamKind } from '../stream/stream-kind.ts';

/** The newest items of a stream in the order in which they were broadcast, as Ring keeps them. */
export interface RecentItems<T = LiveItem> {
  /** The place of the oldest item; places count up by one. */
  readonly first: number;
  /** The place that the next item will get. */
  readonly end: number;
  at(place: number): T;
  /** The first offset of the partition from which on nothing is missing here. */
  reach(partition: number): number;
  /** Whether everything from these offsets on is here. */
  reaches(offsets: readonly number[]): boolean;
  /** The place of the first item at or after these offsets; the items from there on include earlier ones of other partitions. */
  placeOf(offsets: readonly number[]): number;
}

/** Reads the past of a stream, as HistoryReader does. */
export interface StreamReader {
  /** Per partition, the offset after the last record that was returned or skipped. */
  readonly position: readonly number[];
  /** Records that the log no longer had when this reader reached them. */
  lost: number;
  /** What it has read and not returned yet, in bytes as stored. */
  readonly heldBytes: number;
  /** The next items; may be empty before the end, if viewers get none of what was read. */
  read(maxRecords: number): Promise<LiveItem[]>;
}

/** The stream that pages of the past are made from. */
export interface HistorySource {
  readonly kind: StreamKind;
  /** The epoch of logs.events, for the items' ids. */
  readonly epoch: string;
  readonly ring: RecentItems;
  /** Per partition, the offset of the next record. */
  readonly position: readonly number[];
  cursorAt(offsets: readonly number[]): string;
  /** Reads from these offsets up to the stream's position. */
  reader(from: readonly number[]): StreamReader;
}

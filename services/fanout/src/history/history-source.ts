import type { Ring } from '../stream/ring.ts';
import type { StreamKind } from '../stream/stream-kind.ts';
import type { HistoryReader } from './history-reader.ts';

/** The stream that pages of the past are made from. */
export interface HistorySource {
  readonly kind: StreamKind;
  /** That of logs.events, for the items' ids. */
  readonly epoch: string;
  readonly ring: Ring;
  /** Per partition, the offset of the next record. */
  readonly position: readonly number[];
  cursorAt(offsets: readonly number[]): string;
  /** Reads from these offsets up to the stream's position. */
  reader(from: readonly number[]): HistoryReader;
}

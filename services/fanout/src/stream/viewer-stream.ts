import type { Broadcast } from '../delivery/broadcast.ts';
import type { HistoryPages } from '../history/history-pages.ts';
import type { HistorySource } from '../history/history-source.ts';
import type { DecodedRecord } from './decode-records.ts';
import type { StreamStats } from './live-stats.ts';
import type { StreamCursors } from './stream-cursors.ts';
import type { StreamDuplicates } from './stream-duplicates.ts';

/** A stream that a viewer subscribes to: a LiveStream, or the part of it that an imposed filter passes. */
export interface ViewerStream extends HistorySource {
  readonly broadcast: Broadcast;
  readonly pages: HistoryPages;
  readonly stats: StreamStats;
  readonly cursors: StreamCursors;
  readonly duplicates: Pick<StreamDuplicates, 'has'>;
  /** The cursor of everything that was broadcast so far. */
  readonly cursor: string;
  /** Records that are searched for the last ones that match. */
  readonly maxTailRecords: number;
  offsetsSince(timestampMs: number): Promise<number[]>;
  hasReached(offsets: readonly number[]): boolean;
  isAt(offsets: readonly number[]): boolean;
  startOffsets(): Promise<number[]>;
  historyBefore(partition: number, offset: number): Promise<{ records: DecodedRecord[]; from: number }>;
}

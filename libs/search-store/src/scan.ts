import type { Filter } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import type { TimeRange } from './time-range.ts';

/** An event's place in the order of a scan. */
export type EventPlace = Pick<PlacedEvent, 'timestamp' | 'partition' | 'offset'>;

export interface ScanQuery extends TimeRange {
  filter: Filter;
  /** How many events a page has at most, 1 or more. */
  limit: number;
  /** Of an earlier page: only what was stored then is read. Default: all that is stored now. Errors: `bad-cursor`. */
  snapshot?: string | undefined;
  /** The last event that was read. */
  after?: EventPlace | undefined;
}

export interface ScanPage<Event> {
  events: Event[];
  /** Stands for what was stored when it was made, also after a restart; it holds nothing open in the store. */
  snapshot: string;
  isLast: boolean;
}

/** Where the earliest event could be. */
export const beforeAll: EventPlace = { timestamp: Number.MIN_SAFE_INTEGER, partition: -1, offset: -1 };

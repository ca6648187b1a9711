import { CodedError, type CodeOf } from '@logloom/errors';
import { archiveErrors } from './errors.ts';
import type { Correlation, LogView, PlacedEvent } from '@logloom/schemas';

/**
 * Keeps every event and correlation document for as long as retention says, whole: what it returns equals what it was given, but for
 * the source: in its place it says where in the log the event is. It is a view of the log and can be made again from it, as far back as
 * the log goes.
 *
 * Guarantees of every adapter
 * - put() and putCorrelations() resolve only when everything that they were given is durable. A rejected call may have stored some
 *   of it; the same call again is safe.
 * - An event is stored once per id: the first one stays. A document is stored once per id, at the highest revision.
 * - Events come in time order: by timestamp, then partition, then offset.
 *
 * Times are microseconds since 1970.
 */
export interface Archive extends LogView {
  put(events: readonly PlacedEvent[]): Promise<void>;
  putCorrelations(documents: readonly Correlation[]): Promise<void>;

  /** The events of a correlation id, in time order; of all its documents, unless a time range bounds them. */
  byCorrelation(correlationId: string, options?: ByCorrelationOptions): Promise<PlacedEvent[]>;
  correlation(id: string): Promise<Correlation | undefined>;
  /**
   * The events of a time range in time order, read in steps: memory does not grow with the range. Events that are put meanwhile are
   * given when they lie ahead. Ends early, without an error, when the signal aborts.
   */
  scan(query: ScanQuery, signal: AbortSignal): AsyncIterable<PlacedEvent>;

  /**
   * The events of a partition of logs.events with offsets from `fromOffset` up to `toOffset`, which is not part of it, by offset; at
   * most `limit`, and fewer where those are large: an answer ends after 8 MiB; only an empty one says that there are no more. What readers of the log go by when the log no longer has them.
   * `epoch` is the one of logs.events whose offsets they are: where that was made anew, the archive has events of both. Events of earlier
   * releases, whose ids name no epoch, are of every one; undefined: all.
   */
  range(
    epoch: string | undefined,
    partition: number,
    fromOffset: number,
    toOffset: number,
    limit: number,
  ): Promise<PlacedEvent[]>;

  counts(): Promise<{ events: number; correlations: number }>;
  /** Removes events with a timestamp before `micros` and documents whose last member was before it. Gives how many events. */
  dropBefore(micros: number): Promise<number>;
  close(): Promise<void>;
}

export interface ByCorrelationOptions {
  fromMicros?: number;
  /** Not part of the range. */
  toMicros?: number;
  limit?: number;
  /** Only what comes after this place in the order of time. */
  after?: Place | undefined;
  /** The answer ends with the event that passes so many bytes; it has one at least, where there is one. Default: no end. */
  maxBytes?: number;
}

/** An event's place in the order of time. */
export type Place = Pick<PlacedEvent, 'timestamp' | 'partition' | 'offset'>;

export interface ScanQuery {
  fromMicros: number;
  /** Not part of the range. */
  toMicros: number;
  /** Only the events for which it is true, such as a compiled filter. */
  matches?: (event: PlacedEvent) => boolean;
}

export class ArchiveError extends CodedError<CodeOf<typeof archiveErrors>> {
  constructor(message?: string, options?: ErrorOptions) {
    super(archiveErrors, 'archive-unavailable', message, options);
  }
}

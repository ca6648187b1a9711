import { CodedError, type CodeOf } from '@logloom/errors';
import { archiveErrors } from './errors.ts';
import type { Correlation, LogView, PlacedEvent } from '@logloom/schemas';

/**
 * Keeps every event and correlation document for as long as retention allows. It returns an event exactly as it was stored, except for the
 * source, which is replaced by the event's place in the log. The archive is a view of the log and can be rebuilt from it, as far back as
 * the log goes.
 *
 * Guarantees of every adapter
 * - put() and putCorrelations() resolve only when all their input is durable. A rejected call may have stored some of it; repeating it is
 *   safe.
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
   * returned if they lie ahead. Ends early, without an error, when the signal aborts.
   */
  scan(query: ScanQuery, signal: AbortSignal): AsyncIterable<PlacedEvent>;

  /**
   * The events of a partition of logs.events with offsets from `fromOffset` up to `toOffset`, which is not part of it, by offset; at most
   * `limit`, and fewer where they are large: a result ends after 8 MiB, and only an empty result means that there are no more. Readers use
   * it for records that have left the log. `epoch` is the epoch of logs.events that the offsets belong to: where the topic was recreated,
   * the archive has events of both epochs. Events of earlier releases have no epoch in their ids and match every epoch. Undefined: all
   * epochs.
   */
  range(
    epoch: string | undefined,
    partition: number,
    fromOffset: number,
    toOffset: number,
    limit: number,
  ): Promise<PlacedEvent[]>;

  counts(): Promise<{ events: number; correlations: number }>;
  /**
   * Removes events with a timestamp before `micros` and documents whose last member was before it. Returns how many events were removed.
   */
  dropBefore(micros: number): Promise<number>;
  /** Why the engine refuses what it was asked last, with the setting to look at; undefined: it does not. */
  problem?(): string | undefined;
  close(): Promise<void>;
}

export interface ByCorrelationOptions {
  fromMicros?: number;
  /** Not part of the range. */
  toMicros?: number;
  limit?: number;
  /** Only what comes after this place in the order of time. */
  after?: Place | undefined;
  /** The result ends with the event that exceeds this many bytes; it has at least one event, where there is one. Default: no limit. */
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

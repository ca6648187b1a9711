import type { EqualityTerm, Filter, FilterLimits, FilterSubject } from '@logloom/filter';
import type { EventLog } from '@logloom/event-log';
import type { Decoded, Serde } from '@logloom/schema-registry';
import type { Level } from '@logloom/schemas';
import type { StreamName } from '../protocol/client-message.ts';
import type { LiveError } from '../errors.ts';

/** A filter ready to run. Filters of one stream with the same `canonical` text are the same filter. */
export interface LiveFilter {
  canonical: string;
  /** The equalities that every match must have; may be empty. */
  terms: readonly EqualityTerm[];
  matches: (subject: FilterSubject) => boolean;
}

/** A record for viewers, from its decoding to the last delivery. */
export interface LiveItem {
  readonly partition: number;
  readonly offset: number;
  /** The log's append time, milliseconds since 1970. */
  readonly timestampMs: number;
  /** The event's level; of a correlation, the highest of its members'. */
  readonly level: Level;
  /** Roughly its size in memory. */
  readonly bytes: number;
  /** Whether viewers should not wait for the flush interval. */
  readonly urgent: boolean;
  /** Whether it is the canary's: then it goes to the canary alone (CanaryStream). */
  readonly isCanary: boolean;
  /** A new subject; filters that are tested together share one. */
  subject(): FilterSubject;
  /** As JSON; encoded once. */
  json(): string;
  /** In the log's format: framed Avro. */
  encode(serde: Serde): Buffer;
}

/** Detects duplicates of earlier records in one partition that is read in order. */
export interface DuplicateScan {
  /** The next offset. */
  readonly position: number;
  /** Adds the next item; returns false for a duplicate. */
  admit(item: LiveItem): boolean;
  /** Reads on up to an offset, and returns the offsets of the duplicates there. Rejects when the log cannot be read. */
  duplicatesUpTo(end: number): Promise<number[]>;
}

/** The source of a scan. */
export interface ScanPlace {
  log: EventLog;
  serde: Serde;
  partition: number;
  /** Waits for a slot on the event loop before each read. */
  slot: () => Promise<void>;
}

/** What differs between the stream of events and the stream of correlations. */
export interface StreamKind {
  name: StreamName;
  /** Stands for the stream in cursors. */
  letter: string;
  topic: string;
  /** The record as an item; undefined for records that viewers do not get (ticks). */
  item: (
    decoded: Decoded,
    epoch: string,
    partition: number,
    offset: number,
    timestampMs: number,
    bytes: number,
  ) => LiveItem | undefined;
  /** A scan from `offset` on with the same results as one from the start of the log. */
  scan: (place: ScanPlace, offset: number) => Promise<DuplicateScan>;
  /**
   * A viewer's filter, within the limits. `imposed` is what the viewer may see at most, over events: the result passes nothing else,
   * whatever the text says.
   */
  compile: (
    text: string,
    limits: FilterLimits,
    imposed?: Filter,
  ) => { ok: true; filter: LiveFilter } | { ok: false; error: LiveError };
}

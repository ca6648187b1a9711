import { CodedError, type CodeOf } from '@logloom/errors';
import { storageErrors } from '@logloom/sqlite';
import { eventLogErrors } from './errors.ts';
import type { SkippedOffsets } from './skipped-offsets.ts';

/**
 * The log through which the services communicate. A topic has a fixed number of partitions; a partition is an ordered sequence of records
 * with ascending offsets (not necessarily without holes).
 *
 * Guarantees of every adapter
 * - append() resolves only when the records are durable: they survive a crash of this process, and the loss of as many servers as the
 *   adapter is configured for. Within one call and partition, records keep their order.
 * - A rejected append() may have stored some or all of its records. A caller that appends again must make the duplicate recognizable
 *   (LogEvent.source, Correlation.closeOffset/closeSequence): readers drop it.
 * - Readers see a partition's records in offset order, each once per pass, and only durable ones.
 * - A record's timestamp is the log's append time. It decreases within a partition only if the clock of the log's machine was set back, or
 *   the partition moved to a machine whose clock is behind.
 * - A reader never skips silently. If records that it asked for are gone (retention, deleted records, a log that lost its end), follow()
 *   and consume() report a LogGap with exact bounds before the first batch after it, and read() does if it gets `onGap`. Offsets that never
 *   held a record for readers (transaction markers, compaction) are not a gap. A consumer without onGap rejects.
 * - Offsets that a restored log has skipped are not a gap either: skippedOffsets() returns them.
 * - A record is returned exactly as it was appended; a damaged one becomes a gap. If a part of the log cannot be read at all, reading it
 *   rejects with `log-damaged`; consume() and follow() continue with the rest, and with that part once it can be read.
 * - A topic that was deleted and recreated is another topic: commits on the old one no longer count, even if the offset is valid in both.
 */
export interface EventLog {
  /** Changes when the log's offsets start again from 0 (a deleted data folder, a recreated cluster): cursors of another epoch are void. */
  readonly epoch: string;
  /**
   * Identifies the topic as it is now: 6 to 16 letters and digits. It changes when the topic is recreated, and only then. Throws
   * EventLogError `unknown-topic`.
   */
  epochOf(topic: string): Promise<string>;

  /** Creates the topics that do not exist. Throws EventLogError `topic-mismatch` when one exists with another partition count. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** The number of partitions. Throws EventLogError `unknown-topic`. */
  partitionCount(topic: string): Promise<number>;

  /**
   * Appends durably; returns each record's offset, in the order of the input. Throws EventLogError `record-too-large` if the log never
   * accepts a record of that size.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<number[]>;

  /** The reason why the log cannot work at present; undefined if it can, or if that is unknown. */
  problem?(): string | undefined;

  /**
   * The records from `fromOffset` on, at most `maxRecords`, and fewer if they are large (maxReadBytes): only an empty result means the end.
   * If `fromOffset` was trimmed, returns what is left after it and calls `onGap` first; a caller that needs every record passes it.
   */
  read(
    topic: string,
    partition: number,
    fromOffset: number,
    maxRecords: number,
    onGap?: (gap: LogGap) => void,
  ): Promise<LogRecord[]>;

  /** Per partition, the first offset that still exists. */
  startOffsets(topic: string): Promise<number[]>;
  /** Per partition, the offset that the next record will get. */
  endOffsets(topic: string): Promise<number[]>;
  /**
   * Per partition, the first offset whose timestamp is at or after `timestampMs`; the end offset where there is none. Where timestamps
   * decrease, the embedded log returns the offset after the last older record, and Kafka the first one that is not older.
   */
  offsetsByTime(topic: string, timestampMs: number): Promise<number[]>;

  /**
   * Reads all partitions from the given offsets on, without a group, until `signal` aborts: `onBatch` gets each batch of one partition, one
   * call at a time; the next read waits for its promise. Rejects when onBatch or onGap does, with `offset-out-of-range` at a gap without
   * onGap, and with `topic-recreated` when the topic was recreated: the offsets are void.
   */
  follow(options: FollowOptions, signal: AbortSignal): Promise<void>;

  /**
   * Works as a member of a consumer group until `signal` aborts: each partition is assigned to one member at a time. Resolves when every
   * handler is closed; rejects when a handler does, or when the log stays unreachable. A `retriable` error of a handler counts as the log
   * being unreachable: the partitions are opened again a little later. When one of the topics is recreated, they are opened again at its
   * new start.
   */
  consume(options: ConsumeOptions, signal: AbortSignal): Promise<void>;

  /**
   * The offsets that were skipped when the log was restored from a backup, ascending by partition. A position in one, but at its start, is of
   * the log that the backup was made of. Absent: this log has none.
   */
  skippedOffsets?(topic: string): readonly SkippedOffsets[];

  /** The commits of a group, per partition; null where it never committed. */
  committed(group: string, topic: string): Promise<(Commit | null)[]>;

  /** Removes records older than `beforeMs` (append time), in whole batches where the adapter stores batches. */
  trim(topic: string, beforeMs: number): Promise<void>;

  /**
   * Keeps the log's files small until the signal aborts: what was appended in small pieces is stored in larger ones later. Records keep
   * their offsets and times. One instance on a log does it. Absent: this log does it by itself.
   */
  maintain?(signal: AbortSignal): Promise<void>;

  /** Removes a topic, its records and every group's commits on it. */
  deleteTopic(topic: string): Promise<void>;

  close(): Promise<void>;
}

export interface TopicSpec {
  name: string;
  partitions: number;
}

export interface NewRecord {
  partition: number;
  key: string | null;
  value: Buffer;
  headers?: Readonly<Record<string, string>>;
}

export interface LogRecord {
  topic: string;
  partition: number;
  offset: number;
  /** The append time in milliseconds since 1970. */
  timestampMs: number;
  key: string | null;
  value: Buffer;
  headers: Readonly<Record<string, string>>;
}

/** Records of one partition that a reader asked for and the log does not have. */
export interface LogGap {
  topic: string;
  partition: number;
  /** The first offset that is missing. */
  from: number;
  /** The offset after the last one that is missing. */
  to: number;
  /**
   * trimmed: retention or an operator removed the records; reading continues at `to`. lost-end: the log ends at `from`, although the reader
   * had already reached `to`; reading continues at `from`, and offsets from there on belong to other records than before. damaged: the
   * records do not match their checksum, or were lost with a part of the log's files; reading continues at `to`.
   */
  reason: 'trimmed' | 'lost-end' | 'damaged';
}

export interface Commit {
  /** The next offset to read. */
  offset: number;
  /** Free text, at most maxMetadataBytes. */
  metadata: string;
}

export interface FollowOptions {
  topic: string;
  /** Per partition, the first offset to read. */
  from: readonly number[];
  onBatch: (records: LogRecord[], partition: number) => Promise<void> | void;
  /** Called in turn with onBatch, before the first batch behind the gap. */
  onGap?: (gap: LogGap) => Promise<void> | void;
  /** The maximum number of records per batch; default 1,000. */
  maxRecords?: number;
}

export interface ConsumeOptions {
  group: string;
  topics: readonly string[];
  /** Called when a partition is assigned to this member, before its first batch. */
  open: (assignment: Assignment) => Promise<PartitionHandler>;
  /** The maximum number of records per batch; default 1,000. */
  maxRecords?: number;
}

/** A partition that is assigned to this member. */
export interface Assignment {
  topic: string;
  partition: number;
  /** The group's last commit, or null. */
  committed: Commit | null;
  /**
   * Stores the group's position durably. Throws EventLogError `not-assigned` once the partition is assigned to another member, which
   * repeats the work since the last commit.
   */
  commit: (offset: number, metadata?: string) => Promise<void>;
}

/**
 * The calls for one partition never overlap. If one rejects with `topic-recreated`, because a topic that it works with was recreated, all
 * handlers of the member are closed and opened again.
 */
export interface PartitionHandler {
  /** Where to start; default: the committed offset, or the start of the log, without a gap. */
  startOffset?: number;
  /** Gets the next batch, not empty, in offset order. Nothing is committed by returning. */
  process: (records: LogRecord[]) => Promise<void>;
  /**
   * Called before the first batch after a gap, also when nothing follows yet. Without it, consume() rejects with `offset-out-of-range` at a
   * gap.
   */
  gap?: (gap: LogGap) => Promise<void> | void;
  /** Called about every 100 ms while the partition has nothing to read. */
  idle?: () => Promise<void>;
  /** Called when the partition goes to another member or the consumer stops; the last commit may be made here. */
  close?: () => Promise<void>;
}

/** Something that the adapter recovers from by itself. */
export interface Trouble {
  message: string;
  error?: Error;
}

export type EventLogErrorCode = CodeOf<typeof eventLogErrors> | CodeOf<typeof storageErrors>;

export class EventLogError extends CodedError<EventLogErrorCode> {
  constructor(code: EventLogErrorCode, message?: string, options?: ErrorOptions) {
    super({ ...eventLogErrors, ...storageErrors }, code, message, options);
  }
}

/** What ends a reader that has nowhere to report a gap. */
export function outOfRange({ topic, partition, from, to, reason }: LogGap): EventLogError {
  return new EventLogError(
    'offset-out-of-range',
    `${topic}/${partition} has no records [${from}, ${to}) any more (${reason})`,
  );
}

/** A result of read(), and a batch of the embedded log, ends with the piece of the log that exceeds this many bytes. */
export const maxReadBytes = 4 * 2 ** 20;

/** Kafka accepts 4,096 bytes; the rest is for the adapter's own part, the topic's epoch. */
export const maxMetadataBytes = 4064;

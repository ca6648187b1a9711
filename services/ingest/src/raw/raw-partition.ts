import { Turns } from '../pipeline/turns.ts';
import type { IngestKey } from '@logloom/auth';
import type { Assignment, EventLog, LogGap, LogRecord, PartitionHandler } from '@logloom/event-log';
import type { GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import {
  isBackfill,
  redrivenFrom,
  redriveSource,
  senderOf,
  sourceText,
  topics,
  type Sender,
  type Source,
} from '@logloom/schemas';
import { batchAttributes, type ActiveSpan, type Telemetry } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { ifStillAllowed, type KeyGuard } from '../admission/key-guard.ts';
import { IngestError } from '../errors.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { spans } from '../telemetry.ts';
import { decodeEndOffsets, encodeEndOffsets, writtenOffsets } from './raw-position.ts';
import { readRawRecord } from './read-raw-record.ts';

/** The consumer group. */
export const group = 'ingest';
const recordsPerRead = 1000;
const retryMs = 500;

export interface RawPartitionOptions {
  log: EventLog;
  serde: Serde;
  pipeline: Pipeline;
  maxEventBytes: number;
  /** Finds the keys whose rules redriven events must still satisfy; unset: keys are not required, so there are no rules. */
  keys?: Pick<KeyGuard, 'named'> | undefined;
  logger: Telemetry['logger'];
  gaps: GapReport;
}

/** A partition of logs.raw that is assigned to this member of the consumer group. */
export class RawPartition implements PartitionHandler {
  readonly startOffset: number;
  readonly #assignment: Assignment;
  readonly #options: RawPartitionOptions;
  readonly #signal: AbortSignal;
  /** The end offsets of logs.events at the last commit. */
  #endOffsets: number[];
  #written = new Map<number, Set<number>>();
  /** The sources of the redriven events among them: these do not name the raw record. */
  #redriven = new Set<string>();

  static async open(
    assignment: Assignment,
    options: RawPartitionOptions,
    signal: AbortSignal,
  ): Promise<RawPartition> {
    const { log } = options;
    const starts = await log.startOffsets(topics.events);
    const committed = assignment.committed;
    const startOffset = committed?.offset ?? (await log.startOffsets(topics.raw))[assignment.partition]!;
    const endOffsets = decodeEndOffsets(committed?.metadata ?? '', starts.length) ?? starts;
    const partition = new RawPartition(assignment, options, signal, startOffset, endOffsets);
    await partition.#learn(startOffset);
    return partition;
  }

  constructor(
    assignment: Assignment,
    options: RawPartitionOptions,
    signal: AbortSignal,
    startOffset: number,
    endOffsets: number[],
  ) {
    this.#assignment = assignment;
    this.#options = options;
    this.#signal = signal;
    this.startOffset = startOffset;
    this.#endOffsets = endOffsets;
  }

  gap(gap: LogGap): void {
    this.#options.gaps(group, gap, 'they were not ingested');
  }

  async process(records: LogRecord[]): Promise<void> {
    const { tracing } = this.#options.pipeline;
    while (!(await tracing.batch(spans.processRaw, records, (span) => this.#write(records, span)))) {
      await sleep(retryMs, undefined, { signal: this.#signal }).catch(() => {});
      if (this.#signal.aborted) return;
      // The failed append may have stored some of it.
      await this.#learn(records[0]!.offset);
    }
    const next = records.at(-1)!.offset + 1;
    await this.#commit(next);
    for (const offset of this.#written.keys()) if (offset < next) this.#written.delete(offset);
  }

  /** Returns false when the log did not take the records and may do so later. */
  async #write(records: LogRecord[], span: ActiveSpan): Promise<boolean> {
    const { pipeline, serde, maxEventBytes, logger } = this.#options;
    span.set(batchAttributes(records));
    let keys: ReadonlyMap<string, IngestKey | undefined>;
    try {
      keys = this.#keysOf(records);
    } catch (error) {
      if (!(error instanceof IngestError && error.retriable)) throw error;
      logger.warn({ err: error }, 'redriven events wait: the keys that they were sent with cannot be read');
      return false;
    }
    // Senders do not wait for this: the topic holds their events. Kafka has quotas of its own.
    const batch = pipeline.open('kafka', { hasQuotas: false });
    const turns = new Turns();
    for (const record of records) {
      if (turns.isOver) await turns.next();
      const sender = senderOfRedriven(record);
      batch.from(isBackfill(record) ? { ...sender, isBackfill: true } : sender);
      const options = { serde, normalizer: pipeline.normalizer, maxEventBytes };
      for (const { source, result: read, payload } of await readRawRecord(
        record,
        sourceOf(record),
        options,
      )) {
        if (this.#isWritten(source)) continue;
        const key = sender?.key;
        const result = key !== undefined && keys.has(key) ? ifStillAllowed(read, keys.get(key)) : read;
        if ('code' in result) batch.refuse(result, source, record.timestampMs, payload);
        else batch.accept(result, record);
      }
      if (!batch.isFull) continue;
      batch.flush();
      await batch.hasRoom();
      if (batch.failed) break;
    }
    batch.flush();
    try {
      await batch.done();
      return true;
    } catch (error) {
      if (!(error instanceof IngestError && error.retriable)) throw error;
      logger.warn(
        { err: error, partition: this.#assignment.partition },
        'logs.events cannot be written; retrying',
      );
      return false;
    }
  }

  /** Returns the keys that redriven records were sent with, by name. Throws IngestError `auth-unavailable`. */
  #keysOf(records: readonly LogRecord[]): Map<string, IngestKey | undefined> {
    const found = new Map<string, IngestKey | undefined>();
    const { keys } = this.#options;
    if (keys === undefined) return found;
    for (const record of records) {
      const name = senderOfRedriven(record)?.key;
      if (name !== undefined && !found.has(name)) found.set(name, keys.named(name));
    }
    return found;
  }

  #isWritten(source: Source): boolean {
    return source.kind === 'redrive'
      ? this.#redriven.has(sourceText(source))
      : this.#written.get(source.offset)?.has(source.index) === true;
  }

  async #commit(offset: number): Promise<void> {
    const endOffsets = await this.#options.log.endOffsets(topics.events);
    await this.#assignment.commit(offset, encodeEndOffsets(endOffsets));
    this.#endOffsets = endOffsets;
  }

  /** Reads what was written to logs.events since the last commit. */
  async #learn(fromOffset: number): Promise<void> {
    const { log, gaps } = this.#options;
    const onGap = (gap: LogGap): void =>
      gaps(group, gap, 'raw records since the last commit may be ingested a second time');
    const ends = await log.endOffsets(topics.events);
    this.#written = new Map();
    this.#redriven = new Set();
    for (const [partition, end] of ends.entries()) {
      for (let next = this.#endOffsets[partition]!; next < end;) {
        const records = await log.read(topics.events, partition, next, recordsPerRead, onGap);
        if (records.length === 0) break;
        const sources = await this.#sources(records);
        writtenOffsets(sources, this.#assignment, fromOffset, this.#written);
        for (const source of sources) if (source.kind === 'redrive') this.#redriven.add(sourceText(source));
        next = records.at(-1)!.offset + 1;
      }
    }
    // The first start on a log commits at once, so that no later start has to read the whole log.
    if (this.#assignment.committed === null && this.#written.size === 0) {
      await this.#assignment.commit(fromOffset, encodeEndOffsets(ends));
      this.#endOffsets = ends;
    }
  }

  async #sources(records: LogRecord[]): Promise<Source[]> {
    const { serde } = this.#options;
    await serde.load(records.map(({ value }) => value));
    return records.flatMap(({ value }) => {
      const { name, value: event } = serde.decode(value);
      return name === 'LogEvent' ? [event.source] : [];
    });
  }
}

/** Returns the record's place; for a redriven one that of the dead letter, so that a second record of the dead letter is a duplicate. */
function sourceOf({ topic, partition, offset, headers }: LogRecord): Source {
  const redriven = redrivenFrom(headers);
  if (redriven !== undefined) return redriveSource(redriven);
  return { kind: 'kafka', topic, partition, offset, index: 0 };
}

/** Returns the first sender of a redriven record. Headers of other records cannot be trusted: anybody may write to logs.raw. */
function senderOfRedriven({ headers }: LogRecord): Sender | undefined {
  return redrivenFrom(headers) === undefined ? undefined : senderOf(headers);
}

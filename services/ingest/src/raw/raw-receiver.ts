import type { Assignment, EventLog, LogGap, LogRecord, PartitionHandler } from '@logloom/event-log';
import type { GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import {
  redrivenFrom,
  redriveSource,
  senderOf,
  sourceText,
  topics,
  type Sender,
  type Source,
} from '@logloom/schemas';
import type { IngestKey } from '@logloom/auth';
import { batchAttributes, type ActiveSpan, type Telemetry } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { IngestError } from '../errors.ts';
import type { Intake } from '../pipeline/pipeline.ts';
import { ifStillAllowed, type KeyGuard } from '../admission/key-guard.ts';
import { decodeEndOffsets, encodeEndOffsets, writtenOffsets } from './raw-position.ts';
import { readRawRecord } from './read-raw-record.ts';
import { spans } from '../telemetry.ts';

export interface RawDoorOptions {
  log: EventLog;
  serde: Serde;
  intake: Intake;
  maxEventBytes: number;
  /** Finds the keys by whose rules redriven events are judged again; unset: no keys are asked for, so there are no rules. */
  keys?: Pick<KeyGuard, 'named'> | undefined;
  logger: Telemetry['logger'];
  gaps: GapReport;
}

const group = 'ingest';
const readBatch = 1000;
const retryMs = 500;

/**
 * Takes logs.raw into logs.events, each record exactly once: the log itself says what was written since the last commit. Runs until
 * the signal aborts.
 */
export async function runRawDoor(options: RawDoorOptions, signal: AbortSignal): Promise<void> {
  await options.log.consume(
    {
      group,
      topics: [topics.raw],
      open: (assignment) => RawPartition.open(assignment, options, signal),
    },
    signal,
  );
}

/** A partition of logs.raw that this member holds. */
class RawPartition implements PartitionHandler {
  readonly startOffset: number;
  readonly #assignment: Assignment;
  readonly #options: RawDoorOptions;
  readonly #signal: AbortSignal;
  /** Where logs.events ended at the last commit. */
  #endOffsets: number[];
  #written = new Map<number, Set<number>>();
  /** The sources of the redriven events among what was written: they do not name the raw record. */
  #redriven = new Set<string>();

  static async open(
    assignment: Assignment,
    options: RawDoorOptions,
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
    options: RawDoorOptions,
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
    const { tracing } = this.#options.intake;
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

  /** False when the log did not take them and may later. */
  async #write(records: LogRecord[], span: ActiveSpan): Promise<boolean> {
    const { intake, serde, maxEventBytes, logger } = this.#options;
    span.set(batchAttributes(records));
    let keys: ReadonlyMap<string, IngestKey | undefined>;
    try {
      keys = this.#keysOf(records);
    } catch (error) {
      if (!(error instanceof IngestError && error.retriable)) throw error;
      logger.warn({ err: error }, 'what is redriven waits for the keys that it was sent with');
      return false;
    }
    // The topic is where senders wait; Kafka has quotas of its own.
    const unit = intake.open('kafka', { hasQuotas: false });
    for (const record of records) {
      const sender = senderOfRedriven(record);
      unit.from(sender);
      const options = { serde, normalizer: intake.normalizer, maxEventBytes };
      for (const { source, result: read, payload } of await readRawRecord(
        record,
        sourceOf(record),
        options,
      )) {
        if (this.#isWritten(source)) continue;
        const key = sender?.key;
        const result = key !== undefined && keys.has(key) ? ifStillAllowed(read, keys.get(key)) : read;
        if ('code' in result) unit.refuse(result, source, record.timestamp, payload);
        else unit.accept(result, record);
      }
      if (!unit.isFull) continue;
      unit.flush();
      await unit.hasRoom();
      if (unit.failed) break;
    }
    unit.flush();
    try {
      await unit.done();
      return true;
    } catch (error) {
      if (!(error instanceof IngestError && error.retriable)) throw error;
      logger.warn({ err: error, partition: this.#assignment.partition }, 'logs.events is out of reach');
      return false;
    }
  }

  /** The keys that redriven records were sent with, by name. Throws IngestError `auth-unavailable`. */
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
        const records = await log.read(topics.events, partition, next, readBatch, onGap);
        if (records.length === 0) break;
        const sources = await this.#sources(records);
        writtenOffsets(sources, this.#assignment, fromOffset, this.#written);
        for (const source of sources) if (source.kind === 'redrive') this.#redriven.add(sourceText(source));
        next = records.at(-1)!.offset + 1;
      }
    }
    // The first start on a log says so at once, so that no later one has to read it all.
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

/** The record's place, or for a redriven one that of the dead letter, so that a second record of the same letter is a copy. */
function sourceOf({ topic, partition, offset, headers }: LogRecord): Source {
  const redriven = redrivenFrom(headers);
  if (redriven !== undefined) return redriveSource(redriven);
  return { kind: 'kafka', topic, partition, offset, index: 0 };
}

/** Who sent what is redriven, when it first came in. What others write to logs.raw says nothing of its sender that could be believed. */
function senderOfRedriven({ headers }: LogRecord): Sender | undefined {
  return redrivenFrom(headers) === undefined ? undefined : senderOf(headers);
}

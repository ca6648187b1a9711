import { offsetBefore, type EventLog, type LogGap } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { isOfEpoch, topics, type Correlation } from '@logloom/schemas';
import { tryDecode } from '../try-decode.ts';
import type { LostEnd } from './restart-point.ts';
import { toWrittenClose, type ClosePosition, type WrittenDocuments } from './written-documents.ts';

const recordsPerRead = 250;

export interface OutputRange {
  log: EventLog;
  serde: Serde;
  partition: number;
  /** The epoch of logs.events: documents of another one are ignored. */
  epoch: string;
  from: number;
  to: number;
  /** Called for records that are gone or cannot be decoded. */
  onGap?: (gap: LogGap) => void;
  /** The end that the log of events lost, if any: earlier closes there are void. */
  lost?: LostEnd | undefined;
}

/**
 * The documents of one partition of the output in [from, to), with their offsets. Two instances that overlapped for a moment may both have
 * written one: the duplicate does not advance (closeOffset, closeSequence) and is dropped.
 */
export async function* readWritten({
  log,
  serde,
  partition,
  epoch,
  from,
  to,
  onGap,
  lost,
}: OutputRange): AsyncGenerator<{ offset: number; document: Correlation }, void> {
  let last: Correlation | undefined;
  for (let next = from; next < to;) {
    const records = await log.read(topics.correlations, partition, next, recordsPerRead, onGap);
    if (records.length === 0) return;
    await serde.load(records.map((record) => record.value));
    for (const record of records) {
      const { offset, value } = record;
      // Documents after the end were written by an instance that is active now.
      if (offset >= to) return;
      if (!isOfEpoch(record, epoch)) continue;
      const decoded = tryDecode(serde, value);
      if (decoded === undefined)
        onGap?.({ topic: topics.correlations, partition, from: offset, to: offset + 1, reason: 'damaged' });
      if (decoded?.name !== 'Correlation' || !isAfter(decoded.value, last)) continue;
      last = decoded.value;
      if (lost !== undefined && offset < lost.output && last.closeOffset >= lost.from) continue;
      yield { offset, document: last };
    }
    next = records.at(-1)!.offset + 1;
  }
}

/** Instances overlap only for moments: the last close is among these. */
const lastRecords = 100;

/** The position of the last close that is written. */
export async function lastClose(range: Omit<OutputRange, 'from' | 'lost'>): Promise<ClosePosition> {
  let last: ClosePosition = { closeOffset: -1, closeSequence: -1 };
  const start = offsetBefore(range.log, topics.correlations, range.partition, range.to, lastRecords);
  for await (const { document } of readWritten({ ...range, from: Math.max(0, start) }))
    last = { closeOffset: document.closeOffset, closeSequence: document.closeSequence };
  return last;
}

/** Returns the documents as the records that closed them are read again. */
export class WrittenFeed {
  readonly #source: AsyncGenerator<{ document: Correlation }, void>;
  readonly #written: WrittenDocuments;
  #ahead: Correlation | undefined;
  #isDone = false;

  constructor(source: AsyncGenerator<{ document: Correlation }, void>, written: WrittenDocuments) {
    this.#source = source;
    this.#written = written;
  }

  /** The log lost its end, from this offset on: closes from there on are void. */
  async endLost(from: number): Promise<void> {
    await this.advance(from - 1);
    this.#isDone = true;
  }

  /** Pushes all documents that were closed up to this offset. */
  async advance(offset: number): Promise<void> {
    while (!this.#isDone && (this.#ahead === undefined || this.#ahead.closeOffset <= offset)) {
      if (this.#ahead !== undefined) this.#written.push(toWrittenClose(this.#ahead));
      const { done, value } = await this.#source.next();
      this.#isDone = done === true;
      this.#ahead = value?.document;
    }
  }
}

function isAfter(document: Correlation, last: Correlation | undefined): boolean {
  if (last === undefined || document.closeOffset > last.closeOffset) return true;
  return document.closeOffset === last.closeOffset && document.closeSequence > last.closeSequence;
}

/**
 * The records, from the one before a position of the output on, that existed when the position was committed and are missing now; undefined
 * if none are. Retention does not count as a loss.
 */
export async function lostBefore(
  { log, partition }: Pick<OutputRange, 'log' | 'partition'>,
  position: number,
): Promise<LogGap | undefined> {
  if (position === 0) return undefined;
  let lost: LogGap | undefined;
  await log.read(topics.correlations, partition, position - 1, 1, (gap) => (lost = gap));
  return lost?.reason === 'damaged' ? lost : undefined;
}

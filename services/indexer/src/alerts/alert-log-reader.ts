import type { EventLog, LogGap, LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { epochHeader, topics } from '@logloom/schemas';
import { setImmediate as yieldToIo } from 'node:timers/promises';
import type { AlertBook, AlertChange, BookRecord } from './alert-book.ts';

export interface AlertLog {
  log: Pick<EventLog, 'read' | 'startOffsets' | 'endOffsets' | 'epochOf'>;
  serde: Serde;
}

const recordsPerRead = 500;

/**
 * Brings a book up to date with logs.alerts. Records of several partitions are applied in the order of their append times. The calls must
 * not overlap.
 */
export class AlertLogReader {
  readonly #deps: AlertLog;
  readonly #book: AlertBook;
  readonly #onGap: (gap: LogGap) => void;
  #positions: number[] = [];

  constructor(deps: AlertLog, book: AlertBook, onGap: (gap: LogGap) => void = () => {}) {
    this.#deps = deps;
    this.#book = book;
    this.#onGap = onGap;
  }

  /** Per partition, the next offset to read; empty before the first read. */
  get positions(): readonly number[] {
    return this.#positions;
  }

  /**
   * Reads up to these offsets, or to the present end of each partition. Returns the changes, in order.
   */
  async readTo(to?: readonly number[]): Promise<AlertChange[]> {
    const { log } = this.#deps;
    const [starts, ends] = await Promise.all([
      log.startOffsets(topics.alerts),
      to ?? log.endOffsets(topics.alerts),
    ]);
    this.#positions = starts.map((start, partition) => Math.max(start, this.#positions[partition] ?? start));
    const changes: AlertChange[] = [];
    const waiting: LogRecord[][] = starts.map(() => []);
    for (;;) {
      const empty = [...waiting.keys()].filter(
        (partition) => waiting[partition]!.length === 0 && this.#positions[partition]! < ends[partition]!,
      );
      // No wait for each record: there may be millions.
      if (empty.length > 0)
        await Promise.all(empty.map((partition) => this.#fill(waiting, partition, ends[partition]!)));
      const earliest = earliestOf(waiting);
      if (earliest === undefined) return changes;
      changes.push(...this.#apply(earliest));
      this.#positions[earliest.partition] = earliest.offset + 1;
    }
  }

  async #fill(waiting: LogRecord[][], partition: number, end: number): Promise<void> {
    const from = this.#positions[partition]!;
    const records = await this.#deps.log.read(topics.alerts, partition, from, recordsPerRead, this.#onGap);
    await this.#deps.serde.load(records.map(({ value }) => value));
    // The embedded log answers without waiting, and millions of records must not hold up everything else in this thread.
    await yieldToIo();
    waiting[partition] = records.filter(({ offset }) => offset < end).reverse();
    // What is left of the range has no records.
    if (waiting[partition].length === 0) this.#positions[partition] = end;
  }

  #apply({ partition, offset, timestampMs, headers, value }: LogRecord): AlertChange[] {
    const decoded = tryDecode(this.#deps.serde, value);
    if (decoded === undefined) return this.#book.tick(timestampMs);
    return this.#book.apply({
      ...decoded,
      partition,
      offset,
      timestampMs,
      epoch: headers[epochHeader],
    } as BookRecord);
  }
}

/** Takes the record with the earliest append time; those of a partition are in descending order. */
function earliestOf(waiting: readonly LogRecord[][]): LogRecord | undefined {
  let earliest: LogRecord[] | undefined;
  for (const records of waiting) {
    const record = records.at(-1);
    if (record === undefined) continue;
    if (earliest === undefined || record.timestampMs < earliest.at(-1)!.timestampMs) earliest = records;
  }
  return earliest?.pop();
}

/** Undefined for a record that is not the book's: others may have appended to the topic. */
function tryDecode(serde: Serde, value: Buffer): Pick<BookRecord, 'name' | 'value'> | undefined {
  try {
    const decoded = serde.decode(value);
    return ['Alert', 'Silence', 'Acknowledgement'].includes(decoded.name)
      ? (decoded as Pick<BookRecord, 'name' | 'value'>)
      : undefined;
  } catch {
    return undefined;
  }
}

import { DuplicateWindow } from '@logloom/event-log';
import {
  isDocumentForUsers,
  isForUsers,
  isOfEpoch,
  placeCorrelation,
  placeEvent,
  topics,
  type Correlation,
  type FillMove,
  type PlacedEvent,
} from '@logloom/schemas';
import { DocumentOrder } from '../indexing/document-order.ts';
import type { LogAccess } from './dead-letters.ts';

export type Progress = (share: number) => Promise<void>;

/** How many records' results a call holds. */
export interface ReadRange {
  partition: number;
  from: number;
  to: number;
}

/** Receives the items of the log that views hold. */
export interface Sink {
  index(events: readonly PlacedEvent[], range: ReadRange): Promise<void>;
  indexCorrelations(documents: readonly Correlation[], range: ReadRange): Promise<void>;
}

const batchRecords = 1000;

/** Reads logs.events and logs.correlations from the start, in steps, into a sink, without duplicates and documents that no longer count. */
export class LogReader {
  readonly #deps: LogAccess;
  readonly #signal: AbortSignal;
  readonly #sink: Sink;
  readonly #next = new Map<string, number[]>();
  readonly #orders = new Map<number, DocumentOrder>();
  readonly #windows = new Map<number, DuplicateWindow>();

  constructor(deps: LogAccess, signal: AbortSignal, sink: Sink) {
    this.#deps = deps;
    this.#signal = signal;
    this.#sink = sink;
  }

  async ends(): Promise<Map<string, number[]>> {
    const { log } = this.#deps;
    const ends = new Map<string, number[]>();
    for (const topic of [topics.events, topics.correlations]) {
      const now = await log.endOffsets(topic);
      ends.set(topic, now);
      if (!this.#next.has(topic)) this.#next.set(topic, await log.startOffsets(topic));
      const lost = now.findIndex((end, p) => end < this.#next.get(topic)![p]!);
      if (lost >= 0)
        throw new Error(
          `${topic}/${lost} lost its end at ${now[lost]} while it was read: the next attempt reads the rest`,
        );
    }
    return ends;
  }

  /** How far it has read. */
  marks(): FillMove[] {
    return Array.from(this.#next, ([topic, offsets]) =>
      offsets.map((offset, partition) => ({ topic, partition, from: 0, offset })),
    ).flat();
  }

  /** Records between here and the ends. */
  distance(ends: ReadonlyMap<string, readonly number[]>): number {
    let sum = 0;
    for (const [topic, offsets] of ends)
      for (const [p, end] of offsets.entries()) sum += Math.max(0, end - this.#next.get(topic)![p]!);
    return sum;
  }

  async readTo(ends: ReadonlyMap<string, readonly number[]>, onProgress: Progress): Promise<void> {
    const all = Math.max(1, this.distance(ends));
    for (const [topic, offsets] of ends) {
      for (const [partition, end] of offsets.entries()) {
        const next = this.#next.get(topic)!;
        while (next[partition]! < end) {
          this.#signal.throwIfAborted();
          const count = Math.min(batchRecords, end - next[partition]!);
          if (!(await this.#readBatch(topic, partition, count))) break;
          await onProgress(Math.min(1, 1 - this.distance(ends) / all));
          // Lets the indexer's live work run.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
  }

  /** Returns false if there is nothing. */
  async #readBatch(topic: string, partition: number, count: number): Promise<boolean> {
    const { log, serde } = this.#deps;
    const next = this.#next.get(topic)!;
    const records = await log.read(topic, partition, next[partition]!, count, ({ from, to, reason }) => {
      // Damaged records stay damaged, and their readers have reported them.
      if (reason === 'damaged') return;
      throw new Error(
        `${topic}/${partition} [${from}, ${to}) left the log while it was read: the next attempt reads them from the archive`,
      );
    });
    if (records.length === 0) return false;
    await serde.load(records.map(({ value }) => value));
    const epoch = await log.epochOf(topics.events);
    const events: PlacedEvent[] = [];
    const documents: Correlation[] = [];
    for (const record of records) {
      const { value, offset } = record;
      const decoded = attempt(() => serde.decode(value));
      if (decoded?.name === 'LogEvent' && this.#window(partition).admit(decoded.value.source, offset)) {
        if (isForUsers(decoded.value)) events.push(placeEvent(decoded.value, epoch, partition, offset));
      } else if (
        decoded?.name === 'Correlation' &&
        isOfEpoch(record, epoch) &&
        this.#order(partition, epoch).admit(decoded.value) &&
        isDocumentForUsers(decoded.value)
      )
        documents.push(placeCorrelation(decoded.value, epoch));
    }
    const range = { partition, from: records[0]!.offset, to: records.at(-1)!.offset + 1 };
    if (events.length > 0) await this.#sink.index(events, range);
    if (documents.length > 0) await this.#sink.indexCorrelations(documents, range);
    next[partition] = records.at(-1)!.offset + 1;
    return true;
  }

  #window(partition: number): DuplicateWindow {
    let window = this.#windows.get(partition);
    if (window === undefined) this.#windows.set(partition, (window = new DuplicateWindow()));
    return window;
  }

  #order(partition: number, epoch: string): DocumentOrder {
    let order = this.#orders.get(partition);
    if (order === undefined) this.#orders.set(partition, (order = new DocumentOrder(epoch)));
    return order;
  }
}

/** The indexer has reported records that cannot be decoded. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

import type { Archive } from '@logloom/archive';
import { DuplicateWindow } from '@logloom/event-log';
import {
  isOfEpoch,
  placeCorrelation,
  placeEvent,
  topics,
  type Correlation,
  type FillMove,
  type PlacedEvent,
} from '@logloom/schemas';
import type { SearchRebuild, SearchStore } from '@logloom/search-store';
import { DocumentOrder } from '../document-order.ts';
import type { LogAccess } from './dead-letters.ts';
import { viewEpoch } from '../view-epoch.ts';
import type { WriteGate } from './write-gate.ts';

export interface RebuildDeps extends LogAccess {
  search: SearchStore;
  archive: Archive;
  /** Holds up the indexer's writes to the search store. */
  gate: WriteGate;
}

export interface RebuildResult {
  events: number;
  correlations: number;
}

type Progress = (share: number) => Promise<void>;

const batchRecords = 1000;
/** So many records may be left to read while writes are held up, unless they never become so few. */
const fewRecords = 2000;
const maxRounds = 20;

/**
 * Makes the search index anew from the log; events and documents that the log no longer has come from the archive and the old index.
 * The old one answers until the new one is complete. Begun again after a crash it starts over.
 */
export async function rebuildSearch(
  deps: RebuildDeps,
  signal: AbortSignal,
  onProgress: Progress,
): Promise<RebuildResult> {
  const { log, search, gate } = deps;
  const rebuild = await search.rebuild();
  const reader = new LogReader(deps, signal, rebuild);
  try {
    await copyOlder(deps, rebuild, signal);
    for (let round = 0; round < maxRounds; round++) {
      const ends = await reader.ends();
      if (reader.distance(ends) <= fewRecords) break;
      await reader.readTo(ends, round === 0 ? onProgress : async () => {});
    }
    await gate.exclusive(async () => {
      await rebuild.seal();
      // All that was written before the writes were held up lies before these ends.
      await reader.readTo(await reader.ends(), async () => {});
      await rebuild.commit();
      await search.markFilled(await viewEpoch(log), reader.marks());
    });
    return await search.counts();
  } catch (error) {
    // What it cannot remove now, the next attempt does.
    await rebuild.discard().catch(() => {});
    throw error;
  }
}

type Sink = Pick<SearchRebuild, 'index' | 'indexCorrelations'>;

/** Reads logs.events and logs.correlations from the start, in steps, into a sink. */
class LogReader {
  readonly #deps: RebuildDeps;
  readonly #signal: AbortSignal;
  readonly #sink: Sink;
  readonly #next = new Map<string, number[]>();
  readonly #orders = new Map<number, DocumentOrder>();
  readonly #windows = new Map<number, DuplicateWindow>();

  constructor(deps: RebuildDeps, signal: AbortSignal, sink: Sink) {
    this.#deps = deps;
    this.#signal = signal;
    this.#sink = sink;
  }

  async ends(): Promise<Map<string, number[]>> {
    const { log } = this.#deps;
    const ends = new Map<string, number[]>();
    for (const topic of [topics.events, topics.correlations]) {
      ends.set(topic, await log.endOffsets(topic));
      if (!this.#next.has(topic)) this.#next.set(topic, await log.startOffsets(topic));
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
          // The indexer's live work has its turn.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
  }

  /** False when there is nothing there. */
  async #readBatch(topic: string, partition: number, count: number): Promise<boolean> {
    const { log, serde } = this.#deps;
    const next = this.#next.get(topic)!;
    const records = await log.read(topic, partition, next[partition]!, count, ({ from, to }) => {
      throw new Error(
        `${topic}/${partition} [${from}, ${to}) left the log while it was read: the next attempt has them from the archive`,
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
      if (decoded?.name === 'LogEvent' && this.#window(partition).admit(decoded.value.source, offset))
        events.push(placeEvent(decoded.value, epoch, partition, offset));
      else if (
        decoded?.name === 'Correlation' &&
        isOfEpoch(record, epoch) &&
        this.#order(partition, epoch).admit(decoded.value)
      )
        documents.push(placeCorrelation(decoded.value, epoch));
    }
    if (events.length > 0) await this.#sink.index(events);
    if (documents.length > 0) await this.#sink.indexCorrelations(documents);
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

/** The indexer has reported what cannot be decoded. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

/** What lies before the start of the log: events from the archive, documents from the index that still answers. */
async function copyOlder(
  { log, archive, search }: RebuildDeps,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const eventStarts = await log.startOffsets(topics.events);
  if (eventStarts.some((start) => start > 0)) {
    let batch: PlacedEvent[] = [];
    const older = archive.scan(
      {
        fromMicros: Number.MIN_SAFE_INTEGER,
        toMicros: Number.MAX_SAFE_INTEGER,
        matches: ({ partition, offset }) => offset < (eventStarts[partition] ?? 0),
      },
      signal,
    );
    for await (const event of older) {
      batch.push(event);
      if (batch.length < batchRecords) continue;
      await sink.index(batch);
      batch = [];
    }
    signal.throwIfAborted();
    if (batch.length > 0) await sink.index(batch);
  }
  const documentStarts = await log.startOffsets(topics.correlations);
  if (documentStarts.every((start) => start === 0)) return;
  for (let cursor: string | undefined; ;) {
    signal.throwIfAborted();
    const page = await search.correlations({ limit: batchRecords, cursor });
    if (page.correlations.length > 0) await sink.indexCorrelations(page.correlations);
    cursor = page.next;
    if (cursor === undefined) return;
  }
}

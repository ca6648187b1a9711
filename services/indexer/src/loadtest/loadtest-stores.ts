import { isLoadtestDocument, isLoadtestEvent, type Correlation, type PlacedEvent } from '@logloom/schemas';
import type { JobRecords } from '@logloom/job-queue';
import type { BulkTarget, RefusedItem } from '../indexing/index-batches.ts';
import type { Stores } from './open-loadtest-stores.ts';

/** How long a store that could not be opened is not tried again, ms. */
const reopenMs = 10_000;
/** The record which says that there have been load tests: without it nothing is opened, and nothing is to be removed. */
const kind = 'loadtest-stores';
const id = 'opened';

export interface LoadtestStoresOptions {
  open: () => Promise<Stores>;
  records: Pick<JobRecords, 'get' | 'put' | 'delete'>;
  /** Older items (microseconds) are not stored: retention would remove them at once. */
  retainedFrom: () => number;
  /** Removes the files of the embedded stores, which are closed; undefined: engines free the space themselves. */
  removeFiles?: (() => void) | undefined;
  /** Gets what keeps events of a load test out of its stores; the load test reports them as lost. */
  onFailure: (error: unknown) => void;
  /** A monotonic clock in ms. */
  passedMs?: () => number;
}

/**
 * Load tests' events and documents in stores of their own, which are opened by the first of them. They are written in the bulks of users'
 * events, by the same code, so that a load test measures what users get; but what their stores refuse for good is not repeated: users' events
 * do not wait for it.
 */
export class LoadtestStores {
  readonly #options: LoadtestStoresOptions;
  #opened: Promise<Stores> | undefined;
  #failedAtMs = -Infinity;

  constructor(options: LoadtestStoresOptions) {
    this.#options = options;
  }

  get targets(): BulkTarget[] {
    const concerns: BulkTarget['concerns'] = (events, documents) =>
      events.some(isLoadtestEvent) || documents.some(isLoadtestDocument);
    return [
      {
        name: 'loadtest search',
        concerns,
        putEvents: (events) => this.#put(this.#eventsOf(events), ({ search }, items) => search.index(items)),
        putCorrelations: (documents) =>
          this.#put(this.#documentsOf(documents), ({ search }, items) => search.indexCorrelations(items)),
      },
      {
        name: 'loadtest archive',
        concerns,
        putEvents: (events) => this.#put(this.#eventsOf(events), ({ archive }, items) => archive.put(items)),
        putCorrelations: (documents) =>
          this.#put(this.#documentsOf(documents), ({ archive }, items) => archive.putCorrelations(items)),
      },
    ];
  }

  /**
   * Removes the events before `micros`, and all files when none is left. Returns how many were removed. Safe to repeat.
   */
  async removeBefore(micros: number): Promise<number> {
    const { records, removeFiles } = this.#options;
    if (this.#opened === undefined && (await records.get(kind, id)) === undefined) return 0;
    const { search, archive } = await this.#open();
    const removed = await search.deleteBefore(micros);
    await archive.dropBefore(micros);
    const [found, kept] = [await search.counts(), await archive.counts()];
    const isEmpty = [found, kept].every(({ events, correlations }) => events + correlations === 0);
    if (!isEmpty) return removed;
    if (removeFiles !== undefined) {
      // Nothing can be written in between: the embedded stores close at once, and the next write opens new ones.
      this.#opened = undefined;
      await Promise.all([search.close(), archive.close()]);
      if (this.#opened === undefined) removeFiles();
    }
    await records.delete(kind, id);
    return removed;
  }

  async close(): Promise<void> {
    const stores = await this.#opened?.catch(() => undefined);
    await Promise.all([stores?.search.close(), stores?.archive.close()]);
  }

  /** When the log is read again, most of it is too old. */
  #eventsOf(events: readonly PlacedEvent[]): PlacedEvent[] {
    const from = this.#options.retainedFrom();
    return events.filter((event) => isLoadtestEvent(event) && event.timestamp >= from);
  }

  #documentsOf(documents: readonly Correlation[]): Correlation[] {
    const from = this.#options.retainedFrom();
    return documents.filter((document) => isLoadtestDocument(document) && document.lastAt >= from);
  }

  async #put<Item extends PlacedEvent | Correlation>(
    items: readonly Item[],
    write: (stores: Stores, items: readonly Item[]) => Promise<readonly RefusedItem[] | void>,
  ): Promise<readonly RefusedItem[] | void> {
    const { onFailure, passedMs = () => performance.now() } = this.#options;
    if (items.length === 0 || passedMs() - this.#failedAtMs < reopenMs) return;
    try {
      return await write(await this.#open(), items);
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable === true) throw error;
      this.#failedAtMs = passedMs();
      onFailure(error);
    }
  }

  #open(): Promise<Stores> {
    if (this.#opened !== undefined) return this.#opened;
    const { open, records } = this.#options;
    const opening = records
      .put(kind, id, {})
      .then(open)
      .catch((error: unknown) => {
        this.#opened = undefined;
        throw error;
      });
    return (this.#opened = opening);
  }
}

/** The items that users' stores get. */
export function usersEvents(events: readonly PlacedEvent[]): readonly PlacedEvent[] {
  return events.some(isLoadtestEvent) ? events.filter((event) => !isLoadtestEvent(event)) : events;
}

/** The documents that users' stores get. */
export function usersDocuments(documents: readonly Correlation[]): readonly Correlation[] {
  return documents.some(isLoadtestDocument)
    ? documents.filter((document) => !isLoadtestDocument(document))
    : documents;
}

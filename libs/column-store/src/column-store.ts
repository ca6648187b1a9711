import type { DuckDBConnection } from '@duckdb/node-api';
import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { adoptFiles } from './adopt-files.ts';
import { Catalog } from './catalog.ts';
import { DocumentWriter } from './document-writer.ts';
import { Engine } from './engine.ts';
import { EventWriter } from './event-writer.ts';
import { mergeSlicesInto, nextMerge } from './merge.ts';
import { ReadView, type ReadLimits } from './read-view.ts';
import { discardUnfinished, StoreRebuild } from './rebuild.ts';
import { RecentTables } from './recent-tables.ts';
import { removeBefore } from './remove-before.ts';
import { setAsideSlices } from './set-aside-slices.ts';
import { BackgroundIndexer } from './slice-index/background-indexer.ts';
import { SliceWriter } from './slice-writer.ts';
import type { Slice } from './slice.ts';
import { hasSliceFiles, removeObsolete, removeStrays } from './tidy-folder.ts';
import { ViewMarks } from './view-marks.ts';
import { viewNames, type ViewName } from './views.ts';

export interface ColumnStoreOptions {
  /** Writes reject; other threads' and processes' writes are seen as they are committed. */
  readOnly?: boolean | undefined;
  /** How much memory queries and writes may take in this thread, beside recent rows; more spills to the disk. Default 512 MiB. */
  memoryBytes?: number | undefined;
  /** Gets errors of merging and indexing in the background; merging is tried again with the next write. */
  onMergeFailed?: ((error: unknown) => void) | undefined;
  nowMs?: (() => number) | undefined;
  /** Leaves files that the catalog does not name: adoptFiles() will enter them. */
  keepStrays?: boolean | undefined;
}

const defaultMemoryBytes = 256e6;
const threads = 2;
/** A view that nobody has written as for so long needs no files any more: its content is in another engine now. */
const unusedAfterMs = 7 * 86_400_000;
const usedEveryMs = 3_600_000;
/** Writes wait for a merge of so many slices: more of them come than are merged. */
const backlogSlices = 32;

/**
 * Events and correlation documents in one folder, each once: files of columns (Parquet) that never change, and a catalog of them, which also
 * holds what is in no file yet. The search store and the archive are two views of it.
 *
 * Guarantees
 * - putEvents() and putDocuments() resolve when all is durable. An event is stored once per id: the first stays. A document is stored once
 *   per id, at its highest revision.
 * - read() sees one state of the store. What was stored before it began is seen.
 * - One process writes; any number of threads and processes read beside it.
 */
export class ColumnStore {
  readonly folder: string;
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly #readOnly: boolean;
  readonly #nowMs: () => number;
  readonly #onMergeFailed: (error: unknown) => void;
  readonly #recent: RecentTables;
  readonly #usedMs = new Map<ViewName, number>();
  readonly #writers: { slices: SliceWriter; events: EventWriter; documents: DocumentWriter } | undefined;
  readonly #indexer: BackgroundIndexer | undefined;
  #slices: { seq: number; slices: Slice[] } = { seq: -1, slices: [] };
  #loading: Promise<unknown> = Promise.resolve();
  #writing: Promise<unknown> = Promise.resolve();
  #merging: Promise<void> | undefined;
  #mergingSlices = 0;
  #dataVersion: number | undefined;
  #reads = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(folder: string, options: ColumnStoreOptions = {}) {
    const { readOnly = false, memoryBytes = defaultMemoryBytes, nowMs = Date.now } = options;
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
    this.#readOnly = readOnly;
    this.#nowMs = nowMs;
    this.#onMergeFailed = options.onMergeFailed ?? (() => {});
    this.catalog = new Catalog(folder);
    this.engine = new Engine({ memoryBytes, threads, temporaryFolder: join(folder, 'tmp') });
    this.#recent = new RecentTables(this.catalog, this.engine);
    if (readOnly) return;
    this.catalog.write(() => discardUnfinished(this.catalog, nowMs()));
    if (options.keepStrays !== true && !this.isCatalogLost) removeStrays(this.catalog, folder, nowMs());
    const slices = new SliceWriter(this.engine, folder);
    const parts = { catalog: this.catalog, engine: this.engine, slices, folder, generation: 0 };
    this.#writers = {
      slices,
      events: new EventWriter({ ...parts, recentRelation: () => this.#recentRelation() }),
      documents: new DocumentWriter(parts),
    };
    this.#dataVersion = this.#readDataVersion();
    const { catalog, engine } = this;
    this.#indexer = new BackgroundIndexer({
      catalog,
      engine,
      folder,
      onFailed: (error) => this.#onMergeFailed(error),
    });
  }

  /** A user of the store says as what it writes: files that no view in use needs are removed. */
  use(view: ViewName): void {
    const now = this.#nowMs();
    if (this.#readOnly || now - (this.#usedMs.get(view) ?? -Infinity) < usedEveryMs) return;
    this.catalog.write(() =>
      this.catalog.run('INSERT OR REPLACE INTO state VALUES (?, ?)', `used/${view}`, now),
    );
    this.#usedMs.set(view, now);
  }

  /** Those that somebody wrote as in the last days, in any process. */
  #usedViews(): Set<ViewName> {
    return new Set(
      viewNames.filter(
        (view) =>
          this.catalog.all(
            'SELECT 1 FROM state WHERE name = ? AND value > ?',
            `used/${view}`,
            this.#nowMs() - unusedAfterMs,
          ).length > 0,
      ),
    );
  }

  marks(view: ViewName): ViewMarks {
    return new ViewMarks(this.catalog, view);
  }

  /** Registers functions that queries need, such as `registerDuckDbFunctions`. */
  async setUp(register: (connection: DuckDBConnection) => void): Promise<void> {
    await this.engine.setUp(register);
  }

  /**
   * Runs queries on one state of the store. Where a file has vanished meanwhile, `work` runs once more, on the present state. Errors:
   * ReadInterrupted at the limits, DuckDB's, SQLite's.
   */
  async read<T>(view: ViewName, work: (view: ReadView) => Promise<T>, limits: ReadLimits = {}): Promise<T> {
    for (let isRepeated = false; ; isRepeated = true) {
      const { readView, release } = await this.#view(view, limits);
      const result = work(readView);
      this.#reads.add(result);
      try {
        return await result;
      } catch (error) {
        if (isRepeated || !isVanished(error)) throw error;
      } finally {
        this.#reads.delete(result);
        release();
      }
    }
  }

  async putEvents(view: ViewName, events: readonly PlacedEvent[]): Promise<void> {
    await this.#write(async ({ events: writer }) => {
      await writer.put(view, events);
      if (writer.isSealDue) await writer.seal();
    });
    await this.#mergeWhereDue();
  }

  async putDocuments(view: ViewName, documents: readonly Correlation[]): Promise<void> {
    await this.#write(async ({ documents: writer }) => {
      await writer.put(view, documents);
      if (writer.isSealDue) await writer.seal();
    });
    await this.#mergeWhereDue();
  }

  /** As LogView has it. */
  async missingEvents(view: ViewName, events: readonly PlacedEvent[]): Promise<PlacedEvent[]> {
    return this.#held(({ events: writer }) => writer.missing(view, events));
  }

  /** As LogView has it; `search` does not hold documents that were joined into others. */
  async missingDocuments(view: ViewName, documents: readonly Correlation[]): Promise<Correlation[]> {
    return this.#held(({ documents: writer }) => writer.missing(view, documents));
  }

  counts(view: ViewName): { events: number; correlations: number } {
    return this.catalog.read(() => this.catalog.counts(view));
  }

  /** As removeBefore(). */
  async removeBefore(view: ViewName, micros: number): Promise<number> {
    this.use(view);
    return this.#write(async ({ events, documents }) => {
      const isRecentOlder =
        this.catalog.all('SELECT 1 FROM recent WHERE from_micros < ? LIMIT 1', micros).length > 0;
      if (isRecentOlder) await events.seal();
      const parts = { catalog: this.catalog, engine: this.engine, folder: this.folder, nowMs: this.#nowMs };
      const removed = await removeBefore(parts, view, micros, this.#usedViews());
      documents.reload();
      removeObsolete(this.catalog, this.folder, this.#nowMs());
      return removed;
    });
  }

  /**
   * Begins new content for the search view beside the present one, which serves until the rebuild's commit(). There is one at a time: an
   * unfinished one is discarded, and its calls reject.
   */
  async rebuild(): Promise<StoreRebuild> {
    return this.#write(async ({ slices, events, documents }) => {
      const reload = (): void => {
        events.reload();
        documents.reload();
      };
      return new StoreRebuild({
        catalog: this.catalog,
        engine: this.engine,
        slices,
        folder: this.folder,
        usedViews: this.#usedViews(),
        exclusive: (work) => this.#exclusive(work),
        sealAll: async () => {
          await events.seal();
          await documents.seal(0);
        },
        onCommitted: reload,
        nowMs: this.#nowMs,
      });
    });
  }

  /** As setAsideSlices(). */
  async setAsideDamaged(): Promise<{ file: string; movedTo: string; error: unknown }[]> {
    return this.#write(async ({ events, documents }) => {
      const { catalog, engine, folder } = this;
      const moved = await setAsideSlices({ catalog, engine, folder, nowMs: this.#nowMs });
      events.reload();
      documents.reload();
      return moved;
    });
  }

  /** Whether the catalog is new although there are files: somebody has deleted or emptied it, and adoptFiles() is due. */
  get isCatalogLost(): boolean {
    return this.catalog.snapshot().seq === 0 && hasSliceFiles(this.folder);
  }

  /** As adoptFiles(), into a catalog that is new. */
  async adoptFiles(): Promise<void> {
    await this.#write(async ({ events, documents }) => {
      await adoptFiles(this.catalog, this.engine, this.folder);
      events.reload();
      documents.reload();
    });
  }

  /** Puts everything into files, merges them until none is due, and writes their indexes: for measurements and tests. */
  async settle(): Promise<void> {
    await this.#write(async ({ events, documents }) => {
      await events.seal();
      await documents.seal(0);
    });
    while (this.#merging !== undefined || this.#startMerge(true)) await this.#merging;
    await this.#indexer?.finish();
  }

  /** Waits for queries, writes and merging. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.allSettled([this.#writing, this.#loading, ...this.#reads]);
    await this.#merging;
    await this.#indexer?.close();
    await this.engine.close();
    this.catalog.close();
  }

  async #view(view: ViewName, limits: ReadLimits): Promise<{ readView: ReadView; release: () => void }> {
    const { snapshot, slices, superseded, tables } = await this.#load();
    const parts = {
      view,
      engine: this.engine,
      folder: this.folder,
      snapshot,
      slices,
      superseded,
      tables,
      limits,
    };
    return { readView: new ReadView(parts), release: tables.release };
  }

  /** The present state, with what is recent loaded into DuckDB. */
  #load() {
    const loaded = this.#loading.then(async () => {
      if (this.#isClosed) throw new Error('the store is closed');
      const state = this.catalog.read(() => {
        const snapshot = this.catalog.snapshot();
        if (snapshot.slicesSeq !== this.#slices.seq)
          this.#slices = { seq: snapshot.slicesSeq, slices: this.catalog.slices() };
        return {
          snapshot,
          slices: this.#slices.slices,
          superseded: this.catalog.all<{ slice: number; id: string }>('SELECT slice, id FROM superseded'),
          changes: this.#recent.changes(snapshot),
        };
      });
      return { ...state, tables: await this.#recent.load(state.snapshot, state.changes) };
    });
    this.#loading = loaded.catch(() => {});
    return loaded;
  }

  async #recentRelation(): Promise<{ relation: string; release: () => void }> {
    const { tables } = await this.#load();
    return { relation: `${tables.events} WHERE TRUE`, release: tables.release };
  }

  #write<T>(
    work: (writers: { slices: SliceWriter; events: EventWriter; documents: DocumentWriter }) => Promise<T>,
  ): Promise<T> {
    const writers = this.#writers;
    if (writers === undefined) throw new TypeError('this store was opened for reading only');
    return this.#exclusive(async () => {
      const version = this.#readDataVersion();
      if (version !== this.#dataVersion) {
        writers.events.reload();
        writers.documents.reload();
        this.#dataVersion = version;
      }
      this.#indexer?.noteWrite();
      return work(writers);
    });
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(() => {
      if (this.#isClosed) throw new Error('the store is closed');
      return work();
    });
    this.#writing = done.catch(() => {});
    return done;
  }

  /** Looks with the writers' knowledge where there are writers, else with that of the moment. */
  async #held<T>(
    look: (writers: { events: EventWriter; documents: DocumentWriter }) => Promise<T>,
  ): Promise<T> {
    if (!this.#readOnly) return this.#write(look);
    const slices = new SliceWriter(this.engine, this.folder);
    const parts = {
      catalog: this.catalog,
      engine: this.engine,
      slices,
      folder: this.folder,
      generation: 0,
    };
    return look({
      events: new EventWriter({ ...parts, recentRelation: () => this.#recentRelation() }),
      documents: new DocumentWriter(parts),
    });
  }

  async #mergeWhereDue(): Promise<void> {
    if (this.#merging === undefined) this.#startMerge();
    if (this.#mergingSlices >= backlogSlices) await this.#merging;
  }

  /** Whether there was something to merge. */
  #startMerge(isSettling = false): boolean {
    const slices = this.#writers?.slices;
    if (slices === undefined || this.#isClosed) return false;
    const inputs = nextMerge(this.catalog.slices(), isSettling ? Infinity : this.catalog.snapshot().seq);
    removeObsolete(this.catalog, this.folder, this.#nowMs());
    if (inputs === undefined) return false;
    const deps = {
      catalog: this.catalog,
      engine: this.engine,
      slices,
      folder: this.folder,
      exclusive: <T>(work: () => Promise<T>) => this.#exclusive(work),
      nowMs: this.#nowMs,
    };
    this.#mergingSlices = inputs.length;
    this.#merging = mergeSlicesInto(deps, inputs)
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#onMergeFailed(error);
      })
      .finally(() => {
        this.#merging = undefined;
        this.#mergingSlices = 0;
      });
    return true;
  }

  #readDataVersion(): number {
    return this.catalog.all<{ data_version: number }>('PRAGMA data_version')[0]!.data_version;
  }
}

/** A file was removed between the look at the catalog and its reading. */
function isVanished(error: unknown): boolean {
  return error instanceof Error && /No files found|No such file/i.test(error.message);
}

import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { sqlLiteral } from '@logloom/filter';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import { countBefore } from './count-before.ts';
import { DocumentWriter } from './document-writer.ts';
import type { Engine } from './engine.ts';
import { EventWriter } from './event-writer.ts';
import { parquetRows } from './parquet-rows.ts';
import { columnNames, sliceColumns } from './schema.ts';
import type { PreparedSlice, SliceWriter } from './slice-writer.ts';
import type { Slice } from './slice.ts';
import { viewBit, viewNames, type ViewName } from './views.ts';

/** So many events go into a slice at once. */
const bufferedEvents = 32_768;

export interface RebuildDeps {
  catalog: Catalog;
  engine: Engine;
  slices: SliceWriter;
  folder: string;
  usedViews: ReadonlySet<ViewName>;
  /** Runs the work while nothing else changes the store. */
  exclusive: <T>(work: () => Promise<T>) => Promise<T>;
  /** Puts everything of the old content into slices; called within `exclusive`. */
  sealAll: () => Promise<void>;
  /** Makes the store's writers read the catalog again; called within `exclusive`. */
  onCommitted: () => void;
  nowMs: () => number;
}

/** What the archive keeps of an old slice. */
interface Remainder {
  slice: Slice;
  /** `all`: it stays; `none`: it goes; else its other rows. */
  kept: 'all' | 'none' | PreparedSlice;
}

/**
 * New content of the search view, beside the old one until commit(). Then the archive keeps of the old content what the new one does not
 * have, and both share the rest.
 */
export class StoreRebuild {
  readonly #deps: RebuildDeps;
  readonly #generation: number;
  readonly #events: EventWriter;
  readonly #documents: DocumentWriter;
  #buffer: PlacedEvent[] = [];
  #isOver = false;

  constructor(deps: RebuildDeps) {
    this.#deps = deps;
    const { catalog, engine, slices, folder } = deps;
    this.#generation = catalog.write(() => {
      discardUnfinished(catalog, deps.nowMs());
      const generation = catalog.state('generation') + 1;
      catalog.setState('generation', generation);
      return generation;
    });
    const parts = { catalog, engine, slices, folder, generation: this.#generation };
    const recentRelation = () => Promise.resolve({ relation: undefined, release: () => {} });
    this.#events = new EventWriter({ ...parts, recentRelation });
    this.#documents = new DocumentWriter(parts);
  }

  async putEvents(events: readonly PlacedEvent[]): Promise<void> {
    await this.#deps.exclusive(async () => {
      this.#throwIfOver();
      for (const event of events) this.#buffer.push(event);
      if (this.#buffer.length >= bufferedEvents) await this.#flush();
    });
  }

  async putDocuments(documents: readonly Correlation[]): Promise<void> {
    await this.#deps.exclusive(async () => {
      this.#throwIfOver();
      await this.#documents.put('search', documents);
      if (this.#documents.isSealDue) await this.#documents.seal();
    });
  }

  /** Serves from now on; atomic. */
  async commit(): Promise<void> {
    await this.#deps.exclusive(async () => {
      this.#throwIfOver();
      await this.#flush();
      await this.#documents.seal(0);
      await this.#deps.sealAll();
      await this.#replace();
      this.#isOver = true;
      this.#deps.onCommitted();
    });
  }

  async discard(): Promise<void> {
    await this.#deps.exclusive(async () => {
      if (this.#isOver) return;
      this.#isOver = true;
      const { catalog, nowMs } = this.#deps;
      catalog.write(() => {
        if (catalog.state('generation') === this.#generation) discardUnfinished(catalog, nowMs());
      });
    });
  }

  #throwIfOver(): void {
    if (this.#isOver || this.#deps.catalog.state('generation') !== this.#generation)
      throw new Error('the rebuild is over: it was discarded, or another one begun');
  }

  async #flush(): Promise<void> {
    const events = this.#buffer;
    if (events.length === 0) return;
    await this.#events.put('search', events);
    this.#buffer = [];
  }

  async #replace(): Promise<void> {
    const { catalog, slices, nowMs } = this.#deps;
    const added = catalog.slices(this.#generation);
    const remainders: Remainder[] = [];
    try {
      for (const slice of catalog.slices()) remainders.push({ slice, kept: await this.#kept(slice, added) });
      const { removedBefore } = catalog.snapshot();
      const hidden = new Map<number, Slice['hidden']>();
      for (const slice of added) hidden.set(slice.seq, await this.#hidden(slice, removedBefore));
      catalog.write(() => {
        for (const { slice, kept } of remainders) {
          if (kept === 'all')
            catalog.run('UPDATE slices SET views = ? WHERE seq = ?', viewBit.archive, slice.seq);
          else catalog.removeSlice(slice, nowMs());
          if (typeof kept === 'object') catalog.addSlice(slices.name(kept, catalog.nextSeq()));
        }
        for (const { seq } of added) {
          const { search, archive } = hidden.get(seq)!;
          catalog.run(
            'UPDATE slices SET generation = 0, search_hidden = ?, archive_hidden = ? WHERE seq = ?',
            search,
            archive,
            seq,
          );
        }
        catalog.setState('slicesSeq', catalog.nextSeq());
      });
    } catch (error) {
      await slices.drop(remainders.flatMap(({ kept }) => (typeof kept === 'object' ? [kept] : [])));
      throw error;
    }
  }

  /** What the archive needs of a slice beside the new ones. */
  async #kept(slice: Slice, added: readonly Slice[]): Promise<Remainder['kept']> {
    const { engine, slices, folder, usedViews, catalog } = this.#deps;
    const isArchived =
      usedViews.has('archive') && (slice.views & viewBit.archive) !== 0 && slice.hidden.archive < slice.rows;
    if (!isArchived) return 'none';
    const of = added.filter(({ kind }) => kind === slice.kind);
    if (of.length === 0) return 'all';
    const rowsOf = (files: readonly Slice[]): string =>
      parquetRows(files.map(({ file }) => join(folder, file)));
    const isSame =
      slice.kind === 'events'
        ? `old.other_id IS NOT DISTINCT FROM new.other_id
           AND (old.other_id IS NOT NULL OR (old.epoch = new.epoch AND old.partition = new.partition AND old."offset" = new."offset"))`
        : 'old.id = new.id';
    const superseded =
      slice.kind === 'events'
        ? []
        : catalog.all<{ id: string }>('SELECT id FROM superseded WHERE slice = ?', slice.seq);
    const isCurrent =
      superseded.length === 0
        ? ''
        : ` AND old.id NOT IN (${superseded.map(({ id }) => sqlLiteral(id)).join(', ')})`;
    const rest = `FROM ${rowsOf([slice])} AS old WHERE NOT EXISTS
      (SELECT 1 FROM ${rowsOf(of)} AS new WHERE ${isSame})${isCurrent}`;
    const rows = Number((await engine.rows(`SELECT count(*) ${rest}`))[0]![0]);
    if (rows === slice.rows) return 'all';
    const prepared = await slices.query(
      slice.kind,
      `SELECT ${columnNames(sliceColumns[slice.kind], 'old.')} ${rest}`,
      {
        views: viewBit.archive,
        fromMicros: slice.fromMicros,
        toMicros: slice.toMicros,
        otherIds: slice.otherIds,
        places: slice.places,
      },
    );
    if (prepared === undefined) return 'none';
    const mark = catalog.snapshot().removedBefore.archive;
    const archive =
      mark === -Infinity ? 0 : await countBefore(engine, slice.kind, prepared.temporaryPath, mark);
    return { ...prepared, hidden: { search: 0, archive } };
  }

  async #hidden(slice: Slice, marks: Readonly<Record<ViewName, number>>): Promise<Slice['hidden']> {
    const hidden = { search: 0, archive: 0 };
    const { engine, folder } = this.#deps;
    const path = join(folder, slice.file);
    for (const view of viewNames)
      if (marks[view] > slice.fromMicros && (slice.views & viewBit[view]) !== 0)
        hidden[view] = await countBefore(engine, slice.kind, path, marks[view]);
    return hidden;
  }
}

/** Removes the content of rebuilds that did not end. Within Catalog.write(). */
export function discardUnfinished(catalog: Catalog, nowMs: number): void {
  catalog.run('DELETE FROM documents WHERE generation <> 0');
  const slices = catalog.all<{ seq: number; file: string }>(
    'SELECT seq, file FROM slices WHERE generation <> 0',
  );
  for (const slice of slices) catalog.removeSlice(slice, nowMs);
}

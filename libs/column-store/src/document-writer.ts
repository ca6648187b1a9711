import type { Correlation } from '@logloom/schemas';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import type { Engine } from './engine.ts';
import { parquetRows } from './parquet-rows.ts';
import type { SliceWriter, PreparedSlice } from './slice-writer.ts';
import { allViews, viewBit, type ViewName } from './views.ts';

/** So many documents stay in the catalog, where a new revision replaces the old one; */
const youngDocuments = 4096;
/** they are sealed when there are so many, or so many bytes: readers hold them in memory. */
const sealDocuments = 8192;
const sealBytes = 16 * 2 ** 20;

/** A stored document. */
interface Held {
  revision: number;
  views: number;
  /** The slice that has it; undefined: it is in the catalog. */
  slice: number | undefined;
}

export interface DocumentWriterOptions {
  catalog: Catalog;
  engine: Engine;
  slices: SliceWriter;
  folder: string;
  generation: number;
}

/** Stores documents once per id, at the highest revision. One call at a time. */
export class DocumentWriter {
  readonly #options: DocumentWriterOptions;
  #count = 0;
  #bytes = 0;
  /** Of each partition: the highest closing offset in a slice. What was closed later and is new is in no slice. */
  #sealedTo: Map<number, number> | undefined;

  constructor(options: DocumentWriterOptions) {
    this.#options = options;
    this.reload();
  }

  reload(): void {
    const { catalog, generation } = this.#options;
    const [all] = catalog.all<{ count: number; bytes: number }>(
      'SELECT count(*) AS count, coalesce(sum(length(document)), 0) AS bytes FROM documents WHERE generation = ?',
      generation,
    );
    this.#count = all!.count;
    this.#bytes = all!.bytes;
    this.#sealedTo = undefined;
  }

  get isSealDue(): boolean {
    return this.#count >= sealDocuments || (this.#bytes >= sealBytes && this.#count > 1);
  }

  /** As LogView.missingCorrelations() for this view. */
  async missing(view: ViewName, documents: readonly Correlation[]): Promise<Correlation[]> {
    const held = await this.#held(documents);
    return documents.filter(({ id, revision, joinedInto }) => {
      const found = held.get(id);
      const isHeld = found !== undefined && (found.views & viewBit[view]) !== 0;
      if (view === 'search' && joinedInto) return isHeld;
      return !isHeld || found.revision < revision;
    });
  }

  /** Durable when it resolves. */
  async put(view: ViewName, documents: readonly Correlation[]): Promise<void> {
    const { catalog, generation } = this.#options;
    const held = await this.#held(documents);
    const { removedBefore } = catalog.snapshot();
    let count = 0;
    let bytes = 0;
    catalog.write(() => {
      const remove = catalog.db.prepare('DELETE FROM documents WHERE id = ? AND generation = ?');
      const insert = catalog.db.prepare('INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)');
      const supersede = catalog.db.prepare('INSERT OR IGNORE INTO superseded VALUES (?, ?, ?)');
      for (const document of documents) {
        const { id, revision, lastAt } = document;
        const before = held.get(id);
        // Its members are those of another document: searches do not find it, the archive keeps it.
        let views = document.joinedInto ? viewBit.archive : allViews;
        if (lastAt < removedBefore.search && generation === 0) views &= ~viewBit.search;
        if (lastAt < removedBefore.archive && generation === 0) views &= ~viewBit.archive;
        const isNewer = before === undefined || revision > before.revision;
        const isGone =
          view === 'search' && Boolean(document.joinedInto) && ((before?.views ?? 0) & viewBit.search) !== 0;
        const isWanted = before !== undefined && (views & viewBit[view] & ~before.views) !== 0;
        if (!isNewer && !isGone && !isWanted) continue;
        if (!isNewer && isWanted) views |= before.views;
        if (before === undefined && views === 0) continue;
        const seq = catalog.nextSeq();
        if (before?.slice !== undefined) supersede.run(before.slice, id, seq);
        else if (before !== undefined) count -= Number(remove.run(id, generation).changes);
        const json = JSON.stringify(document);
        insert.run(seq, id, revision, views, lastAt, json, generation);
        count++;
        bytes += json.length;
        held.set(id, { revision, views, slice: undefined });
      }
    });
    this.#count += count;
    this.#bytes += bytes;
  }

  /** Puts all but the latest documents into a slice. */
  async seal(keep = Math.min(youngDocuments, Math.floor(this.#count / 2))): Promise<void> {
    const { catalog, slices, generation } = this.#options;
    const rows = catalog.all<{ seq: number; views: number; document: string }>(
      'SELECT seq, views, document FROM documents WHERE generation = ? ORDER BY seq LIMIT max(0, ? - ?)',
      generation,
      this.#count,
      keep,
    );
    if (rows.length === 0) return;
    const to = rows.at(-1)!.seq;
    const prepared: PreparedSlice[] = [];
    try {
      for (const views of new Set(rows.map((row) => row.views))) {
        if (views === 0) continue;
        const documents = rows
          .filter((row) => row.views === views)
          .map(({ document }) => JSON.parse(document) as Correlation)
          .toSorted((a, b) => a.firstAt - b.firstAt);
        prepared.push(await slices.documents(documents, views));
      }
      catalog.write(() => {
        for (const each of prepared) catalog.addSlice(slices.name(each, catalog.nextSeq()), generation);
        catalog.run('DELETE FROM documents WHERE seq <= ? AND generation = ?', to, generation);
        if (generation === 0) catalog.setState('documentsSealed', to);
      });
    } catch (error) {
      await slices.drop(prepared);
      throw error;
    }
    this.reload();
  }

  async #held(documents: readonly Correlation[]): Promise<Map<string, Held>> {
    const { catalog, engine, folder, generation } = this.#options;
    const held = new Map<string, Held>();
    const recent = catalog.db.prepare(
      'SELECT revision, views FROM documents WHERE id = ? AND generation = ?',
    );
    const unsure = new Set<string>();
    const slices = catalog.slices(generation).filter(({ kind }) => kind === 'requests');
    const sealedTo = slices.length === 0 ? undefined : await this.#sealed();
    for (const { id, revision, partition, closeOffset } of documents) {
      const row = recent.get(id, generation) as { revision: number; views: number } | undefined;
      if (row !== undefined) held.set(id, { ...row, slice: undefined });
      else if (sealedTo !== undefined && (revision > 1 || closeOffset <= (sealedTo.get(partition) ?? -1)))
        unsure.add(id);
    }
    if (unsure.size === 0) return held;
    const superseded = new Set(
      catalog
        .all<{ slice: number; id: string }>('SELECT slice, id FROM superseded')
        .map(({ slice, id }) => `${slice}/${id}`),
    );
    const byFile = new Map(slices.map((slice) => [slice.file, slice]));
    const files = slices.map(({ file }) => join(folder, file));
    await engine.withRows({ id: { values: [...unsure], isNumber: false } }, async (connection, wanted) => {
      const rows = await connection.runAndReadAll(
        `SELECT id, revision, parse_filename(filename) FROM ${parquetRows(files, 'filename')}
         WHERE id IN (SELECT id FROM ${wanted})`,
      );
      for (const [id, revision, file] of rows.getRowsJS() as [string, number, string][]) {
        const slice = byFile.get(file)!;
        if (superseded.has(`${slice.seq}/${id}`)) continue;
        held.set(id, { revision, views: slice.views, slice: slice.seq });
      }
    });
    return held;
  }

  async #sealed(): Promise<Map<number, number>> {
    const { catalog, engine, folder, generation } = this.#options;
    if (this.#sealedTo !== undefined) return this.#sealedTo;
    const files = catalog
      .slices(generation)
      .filter(({ kind }) => kind === 'requests')
      .map(({ file }) => join(folder, file));
    const rows = await engine.rows(
      `SELECT partition, max(close_offset) FROM ${parquetRows(files)} GROUP BY partition`,
    );
    this.#sealedTo = new Map(
      (rows as [number, bigint][]).map(([partition, offset]) => [partition, Number(offset)]),
    );
    return this.#sealedTo;
  }
}

import type { Correlation, PlacedEvent } from '@logloom/schemas';
import type { Catalog, RecentBatch, RecentDocument, Snapshot } from './catalog.ts';
import { columnsOfDocuments } from './document-columns.ts';
import type { Engine } from './engine.ts';
import { columnsOfEvents, typedColumns } from './event-columns.ts';
import { columnDefinitions, eventColumns, requestColumns } from './schema.ts';

/** Rows of the catalog in a table of DuckDB. Sealing starts a new one. */
interface Table {
  name: string;
  /** Its rows have higher numbers. */
  sealed: number;
  loadedTo: number;
  /** Views that read it. */
  readers: number;
  isCurrent: boolean;
}

const bookkeeping = { seq: 'BIGINT', views: 'INTEGER' };

/**
 * A copy of the rows that are in no slice yet, in memory, so that DuckDB can query them. Each look adds what is new. Rows carry the number
 * of their change, so that a view sees no later ones.
 */
export class RecentTables {
  readonly #catalog: Catalog;
  readonly #engine: Engine;
  #events: Table | undefined;
  #documents: Table | undefined;

  constructor(catalog: Catalog, engine: Engine) {
    this.#catalog = catalog;
    this.#engine = engine;
  }

  /** What is new in the catalog; within Catalog.read(). */
  changes(snapshot: Snapshot): { batches: RecentBatch[]; documents: RecentDocument[] } {
    const from = (table: Table | undefined, sealed: number): number =>
      table?.sealed === sealed ? table.loadedTo : sealed;
    return {
      batches: this.#catalog.all<RecentBatch>(
        'SELECT seq, views, events FROM recent WHERE seq > ? ORDER BY seq',
        from(this.#events, snapshot.eventsSealed),
      ),
      documents: this.#catalog.all<RecentDocument>(
        'SELECT seq, views, document FROM documents WHERE seq > ? AND generation = 0 ORDER BY seq',
        from(this.#documents, snapshot.documentsSealed),
      ),
    };
  }

  /** Loads the changes. Returns the tables' names; release() must follow. One call at a time. */
  async load(
    snapshot: Snapshot,
    { batches, documents }: { batches: RecentBatch[]; documents: RecentDocument[] },
  ): Promise<{ events: string; documents: string; release: () => void }> {
    this.#events = await this.#tableFor('events', this.#events, snapshot.eventsSealed);
    if (batches.length > 0) await this.#addEvents(this.#events, batches);
    this.#events.loadedTo = snapshot.seq;
    this.#documents = await this.#tableFor('documents', this.#documents, snapshot.documentsSealed);
    if (documents.length > 0) await this.#addDocuments(this.#documents, documents);
    this.#documents.loadedTo = snapshot.seq;
    const used = [this.#events, this.#documents];
    for (const table of used) table.readers++;
    return {
      events: this.#events.name,
      documents: this.#documents.name,
      release: () => {
        for (const table of used) {
          table.readers--;
          this.#dropUnused(table);
        }
      },
    };
  }

  async #tableFor(kind: 'events' | 'documents', before: Table | undefined, sealed: number): Promise<Table> {
    if (before?.sealed === sealed) return before;
    const name = `recent_${kind}_${sealed}`;
    const columns =
      kind === 'events'
        ? { ...eventColumns, ...bookkeeping }
        : { ...requestColumns, ...bookkeeping, replaced_by: 'BIGINT' };
    await this.#engine.rows(`CREATE OR REPLACE TABLE ${name} (${columnDefinitions(columns)})`);
    if (before !== undefined) {
      before.isCurrent = false;
      this.#dropUnused(before);
    }
    return { name, sealed, loadedTo: sealed, readers: 0, isCurrent: true };
  }

  #dropUnused(table: Table): void {
    if (table.isCurrent || table.readers > 0) return;
    // What is left behind is only memory.
    this.#engine.rows(`DROP TABLE IF EXISTS ${table.name}`).catch(() => {});
  }

  async #addEvents(table: Table, batches: readonly RecentBatch[]): Promise<void> {
    const events: PlacedEvent[] = [];
    const seq: number[] = [];
    const views: number[] = [];
    for (const batch of batches)
      for (const event of JSON.parse(batch.events) as PlacedEvent[]) {
        events.push(event);
        seq.push(batch.seq);
        views.push(batch.views);
      }
    const columns = {
      ...columnsOfEvents(events),
      seq: { values: seq, isNumber: true },
      views: { values: views, isNumber: true },
    };
    await this.#engine.withRows(columns, async (connection, staged) => {
      await connection.run(
        `INSERT INTO ${table.name} SELECT ${typedColumns({ ...eventColumns, ...bookkeeping })} FROM ${staged}`,
      );
    });
  }

  async #addDocuments(table: Table, rows: readonly RecentDocument[]): Promise<void> {
    const columns = {
      ...columnsOfDocuments(rows.map(({ document }) => JSON.parse(document) as Correlation)),
      seq: { values: rows.map(({ seq }) => seq), isNumber: true },
      views: { values: rows.map(({ views }) => views), isNumber: true },
    };
    await this.#engine.withRows(columns, async (connection, staged) => {
      await connection.run(
        `UPDATE ${table.name} SET replaced_by = ${staged}.seq::BIGINT FROM ${staged}
         WHERE ${table.name}.id = ${staged}.id AND replaced_by IS NULL`,
      );
      await connection.run(
        `INSERT INTO ${table.name} SELECT ${typedColumns({ ...requestColumns, ...bookkeeping })}, NULL FROM ${staged}`,
      );
    });
  }
}

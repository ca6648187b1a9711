import { openDatabase, withFileNamed } from '@logloom/sqlite';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { PlaceRange, Slice, SliceKind } from './slice.ts';
import { viewBit, type ViewName } from './views.ts';

/** A batch of events that are in no slice yet. */
export interface RecentBatch {
  seq: number;
  views: number;
  /** JSON: a list of PlacedEvent without its source. */
  events: string;
}

/** A document that is in no slice yet. */
export interface RecentDocument {
  seq: number;
  views: number;
  /** JSON. */
  document: string;
}

/** What a reader sees: everything up to one change of the store. */
export interface Snapshot {
  /** The last change. */
  seq: number;
  /** Recent batches and documents have a higher seq than these; lower ones are in slices. */
  eventsSealed: number;
  documentsSealed: number;
  /** The last change of the slices. */
  slicesSeq: number;
  removedBefore: Readonly<Record<ViewName, number>>;
}

export const catalogFile = 'catalog.db';

const schema = `
  CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT OR IGNORE INTO state VALUES ('seq', 0), ('eventsSealed', 0), ('documentsSealed', 0), ('slicesSeq', 0), ('generation', 0);
  CREATE TABLE IF NOT EXISTS slices (
    seq INTEGER PRIMARY KEY, file TEXT NOT NULL, kind TEXT NOT NULL, views INTEGER NOT NULL, rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL, from_micros INTEGER NOT NULL, to_micros INTEGER NOT NULL, other_ids INTEGER NOT NULL,
    search_hidden INTEGER NOT NULL, archive_hidden INTEGER NOT NULL, generation INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS places (
    slice INTEGER NOT NULL, epoch TEXT, partition INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS places_slice ON places (slice);
  CREATE TABLE IF NOT EXISTS recent (
    seq INTEGER PRIMARY KEY, views INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
    from_micros INTEGER NOT NULL, events TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, revision INTEGER NOT NULL, views INTEGER NOT NULL, last_at INTEGER NOT NULL,
    document TEXT NOT NULL, generation INTEGER NOT NULL DEFAULT 0);
  CREATE UNIQUE INDEX IF NOT EXISTS documents_id ON documents (id, generation);
  CREATE TABLE IF NOT EXISTS superseded (slice INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (slice, id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS filled (
    view TEXT NOT NULL, epoch TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    PRIMARY KEY (view, epoch, topic, partition)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS removed (view TEXT PRIMARY KEY, micros INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS obsolete (file TEXT PRIMARY KEY, since_ms INTEGER NOT NULL) WITHOUT ROWID;`;

/**
 * Which files make up the store, and what is not in files yet: one SQLite file in the folder (WAL, synchronous=FULL). One process writes;
 * others, and other threads, read beside it.
 */
export class Catalog {
  readonly db: DatabaseSync;
  readonly path: string;

  /** Creates it if it is missing. Errors name the file. */
  constructor(folder: string) {
    this.path = join(folder, catalogFile);
    this.db = openDatabase(this.path);
    withFileNamed(this.path, () => {
      if (!this.#isMade()) this.db.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`);
    });
  }

  /** A complete file stays as it is, byte by byte: it may be a backup. */
  #isMade(): boolean {
    return this.db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'obsolete'").get() !== undefined;
  }

  /** Runs the work in a transaction; `work` throws: nothing happened. */
  write<T>(work: () => T): T {
    return this.#transaction('BEGIN IMMEDIATE', work);
  }

  /** Runs the work on one state of the catalog. */
  read<T>(work: () => T): T {
    return this.#transaction('BEGIN', work);
  }

  #transaction<T>(begin: string, work: () => T): T {
    return withFileNamed(this.path, () => {
      this.db.exec(begin);
      try {
        const result = work();
        this.db.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** All rows of a statement. */
  all<Row>(sql: string, ...params: SQLInputValue[]): Row[] {
    return this.db.prepare(sql).all(...params) as Row[];
  }

  run(sql: string, ...params: SQLInputValue[]): number {
    return Number(this.db.prepare(sql).run(...params).changes);
  }

  snapshot(): Snapshot {
    const state = new Map(
      this.all<{ name: string; value: number }>('SELECT name, value FROM state').map(({ name, value }) => [
        name,
        value,
      ]),
    );
    const removed = new Map(
      this.all<{ view: ViewName; micros: number }>('SELECT view, micros FROM removed').map(
        ({ view, micros }) => [view, micros],
      ),
    );
    const valueOf = (name: string): number => state.get(name) ?? 0;
    return {
      seq: valueOf('seq'),
      eventsSealed: valueOf('eventsSealed'),
      documentsSealed: valueOf('documentsSealed'),
      slicesSeq: valueOf('slicesSeq'),
      removedBefore: {
        search: removed.get('search') ?? -Infinity,
        archive: removed.get('archive') ?? -Infinity,
      },
    };
  }

  /** The next change's number. Within write(). */
  nextSeq(): number {
    return (
      this.db.prepare("UPDATE state SET value = value + 1 WHERE name = 'seq' RETURNING value").get() as {
        value: number;
      }
    ).value;
  }

  setState(name: 'eventsSealed' | 'documentsSealed' | 'slicesSeq' | 'generation', value: number): void {
    this.run('UPDATE state SET value = ? WHERE name = ?', value, name);
  }

  state(name: 'seq' | 'generation'): number {
    return this.all<{ value: number }>('SELECT value FROM state WHERE name = ?', name)[0]?.value ?? 0;
  }

  /** Of one generation: 0 is the one that serves. The latest first. */
  slices(generation = 0): Slice[] {
    const places = new Map<number, PlaceRange[]>();
    const rows = this.all<PlaceRange & { slice: number }>(
      'SELECT slice, epoch, partition, first, last FROM places ORDER BY partition, first',
    );
    for (const { slice, epoch, partition, first, last } of rows) {
      const range = { epoch, partition, first, last };
      const list = places.get(slice);
      if (list === undefined) places.set(slice, [range]);
      else list.push(range);
    }
    return this.all<SliceRow>(
      'SELECT * FROM slices WHERE generation = ? ORDER BY to_micros DESC, seq DESC',
      generation,
    ).map((row) => ({
      seq: row.seq,
      file: row.file,
      kind: row.kind,
      views: row.views,
      rows: row.rows,
      bytes: row.bytes,
      fromMicros: row.from_micros,
      toMicros: row.to_micros,
      otherIds: row.other_ids,
      hidden: { search: row.search_hidden, archive: row.archive_hidden },
      places: places.get(row.seq) ?? [],
    }));
  }

  addSlice(slice: Slice, generation = 0): void {
    this.run(
      'INSERT INTO slices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      slice.seq,
      slice.file,
      slice.kind,
      slice.views,
      slice.rows,
      slice.bytes,
      slice.fromMicros,
      slice.toMicros,
      slice.otherIds,
      slice.hidden.search,
      slice.hidden.archive,
      generation,
    );
    const put = this.db.prepare('INSERT INTO places VALUES (?, ?, ?, ?, ?)');
    for (const { epoch, partition, first, last } of slice.places)
      put.run(slice.seq, epoch, partition, first, last);
    this.setState('slicesSeq', slice.seq);
  }

  /** Its file is no longer named; it is removed once no reader can need it (obsolete). */
  removeSlice(slice: Pick<Slice, 'seq' | 'file'>, nowMs: number): void {
    this.run('DELETE FROM slices WHERE seq = ?', slice.seq);
    this.run('DELETE FROM places WHERE slice = ?', slice.seq);
    this.run('DELETE FROM superseded WHERE slice = ?', slice.seq);
    this.run('INSERT OR REPLACE INTO obsolete VALUES (?, ?)', slice.file, nowMs);
    this.setState('slicesSeq', this.nextSeq());
  }

  /** How many items a view has. */
  counts(view: ViewName): { events: number; correlations: number } {
    const bit = viewBit[view];
    const inSlices = (kind: SliceKind): number =>
      this.all<{ rows: number }>(
        `SELECT coalesce(sum(rows - ${view}_hidden), 0) AS rows FROM slices
         WHERE generation = 0 AND kind = ? AND views & ? <> 0`,
        kind,
        bit,
      )[0]!.rows;
    const one = (sql: string, ...params: SQLInputValue[]): number =>
      this.all<{ n: number }>(sql, ...params)[0]!.n;
    return {
      events:
        inSlices('events') + one('SELECT coalesce(sum(rows), 0) AS n FROM recent WHERE views & ? <> 0', bit),
      correlations:
        inSlices('requests') +
        one('SELECT count(*) AS n FROM documents WHERE generation = 0 AND views & ? <> 0', bit) -
        one(
          `SELECT count(*) AS n FROM superseded JOIN slices ON slices.seq = superseded.slice
           WHERE generation = 0 AND views & ? <> 0`,
          bit,
        ),
    };
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }
}

interface SliceRow {
  seq: number;
  file: string;
  kind: SliceKind;
  views: number;
  rows: number;
  bytes: number;
  from_micros: number;
  to_micros: number;
  other_ids: number;
  search_hidden: number;
  archive_hidden: number;
}

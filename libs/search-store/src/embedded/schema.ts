import { FillTable, openDatabase, withFileNamed } from '@logloom/sqlite';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** Opens the file for writing and creates what is missing in it. */
export function openForWriting(path: string): DatabaseSync {
  // The indexer commits its offsets once index() has resolved: by then the rows must be on disk.
  const db = openDatabase(path, { pageSize: 8192 });
  // The larger cache and the rarer checkpoints keep index pages from being written again and again.
  withFileNamed(path, () => createTables(db));
  return db;
}

function createTables(db: DatabaseSync): void {
  // events_time and correlations_time are in the order of pages, and hold the columns of common filters, so that those, their counts and
  // histograms read no rows: a scan of the rows would read every message or document from the disk.
  db.exec(`
    PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=10000;
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS events (
      rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ts INTEGER NOT NULL, level INTEGER NOT NULL, service TEXT NOT NULL,
      host TEXT, message TEXT NOT NULL, correlation_id TEXT, correlation_kind TEXT, trace_id TEXT, span_id TEXT,
      attributes TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS events_time ON events (ts, rowid, service, level);
    DROP INDEX IF EXISTS events_ts;
    CREATE INDEX IF NOT EXISTS events_correlation_id ON events (correlation_id);
    CREATE VIRTUAL TABLE IF NOT EXISTS events_fts
      USING fts5(words, content='', contentless_delete=1, tokenize="ascii tokenchars '_'");
    INSERT INTO events_fts (events_fts, rank) VALUES ('hashsize', 67108864);
    CREATE TABLE IF NOT EXISTS correlations (
      rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, correlation_id TEXT NOT NULL, kind TEXT NOT NULL,
      revision INTEGER NOT NULL, close_reason TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
      duration_ms REAL NOT NULL, event_count INTEGER NOT NULL, error_count INTEGER NOT NULL, level_mask INTEGER NOT NULL,
      severity TEXT, partition INTEGER NOT NULL, services TEXT NOT NULL, rules TEXT NOT NULL, document TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS correlations_time ON correlations (
      first_at, rowid, close_reason, level_mask, event_count, error_count, duration_ms, severity, kind);
    DROP INDEX IF EXISTS correlations_first_at;
    CREATE INDEX IF NOT EXISTS correlations_close_reason ON correlations (close_reason, first_at);
    CREATE INDEX IF NOT EXISTS correlations_correlation_id ON correlations (correlation_id);
    CREATE TABLE IF NOT EXISTS correlation_ids (
      value TEXT NOT NULL, document INTEGER NOT NULL, PRIMARY KEY (value, document)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS correlation_ids_document ON correlation_ids (document);
    CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT OR IGNORE INTO counts VALUES ('events', 0), ('correlations', 0);
    ${FillTable.schema}
    COMMIT;`);
  addNewColumns(db);
}

/** The file version from which on events and documents have their places as ids. */
const placesVersion = 1;

/**
 * Converts the ids of events and documents in a file of an older release to their places, in one transaction. A million events take about
 * ten seconds.
 */
export function adoptPlaceIds(db: DatabaseSync, epoch: string): void {
  const version = (): number =>
    (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
  if (version() >= placesVersion) return;
  db.exec('BEGIN IMMEDIATE');
  const place = `? || '-' || partition || '-' ||`;
  // Ignored: two events at one place belong to two logs, and the older log is gone.
  db.prepare(`UPDATE OR IGNORE events SET id = ${place} "offset"`).run(epoch);
  db.prepare(
    `UPDATE OR IGNORE correlations SET id = ${place} json_extract(document, '$.firstOffset'),
       document = json_set(document, '$.id', ${place} json_extract(document, '$.firstOffset'))`,
  ).run(epoch, epoch);
  db.exec(`PRAGMA user_version = ${placesVersion}; COMMIT`);
}

/** A file of an older release: its documents have one id each, and none of the later columns. */
function addNewColumns(db: DatabaseSync): void {
  const has = (): boolean =>
    db.prepare("SELECT 1 FROM pragma_table_info('correlations') WHERE name = 'shape'").get() !== undefined;
  if (has()) return;
  db.exec('BEGIN IMMEDIATE');
  // Another connection may have been first.
  if (!has()) {
    db.exec(`
      ALTER TABLE correlations ADD COLUMN ids TEXT NOT NULL DEFAULT '[]';
      ALTER TABLE correlations ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
      ALTER TABLE correlations ADD COLUMN shape TEXT;
      UPDATE correlations SET ids = json_array(correlation_id);
      INSERT OR IGNORE INTO correlation_ids SELECT correlation_id, rowid FROM correlations;
      CREATE INDEX correlations_shape ON correlations (shape, first_at) WHERE shape IS NOT NULL;`);
  }
  db.exec('COMMIT');
}

const madeParts = [
  'events',
  'events_time',
  'events_fts',
  'correlations_time',
  'correlations_close_reason',
  'correlations_shape',
].concat(['correlation_ids_document', 'counts', 'filled', 'removed']);

/** Whether the file has all that openForWriting() makes in it. */
function isMade(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  try {
    const names = db.prepare('SELECT name FROM sqlite_schema').all() as { name: string }[];
    const has = (name: string): boolean => names.some((each) => each.name === name);
    return madeParts.every(has) && !has('events_ts') && !has('correlations_first_at');
  } catch {
    // The next one to open it reports what is wrong with it.
    return false;
  } finally {
    db.close();
  }
}

/** Opens the file for queries only: other connections, also of other threads, can write meanwhile. */
export function openForReading(path: string): DatabaseSync {
  // The writer may not have created it yet. A complete file stays as it is, byte by byte: it may be a backup.
  if (!isMade(path)) openForWriting(path).close();
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  db.exec('PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;');
  return db;
}

import { mayBeOfEpoch, type Correlation, type PlacedEvent } from '@logloom/schemas';
import {
  DamageNote,
  FillTable,
  isDamaged,
  nameFile,
  openDatabase,
  resultCode,
  setAside,
  setAsideIfDamaged,
  type DamagedFile,
} from '@logloom/sqlite';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ArchiveError, type Archive, type ScanQuery } from '../archive.ts';
import { eventColumns, eventOf, rowOf, type EventRow } from '../archived-event.ts';
import { eventBytes, maxAnswerBytes } from '../event-bytes.ts';

const scanStep = 1000;
const earliest = Number.MIN_SAFE_INTEGER;
const latest = Number.MAX_SAFE_INTEGER;
/** Rows are deleted in steps, so that writes can run in between. */
const deleteStep = 5000;

export interface SqliteArchiveOptions {
  /** For readers beside the writer. */
  readOnly?: boolean;
  /** The log's epoch: the writer uses it to convert the ids of events that an older release has archived. */
  epoch?: string | undefined;
  /** Called when a damaged file was moved away; an empty one takes its place and has to be filled again. */
  onDamaged?: (damaged: DamagedFile) => void;
}

/**
 * The embedded archive: one SQLite file in the folder, WAL, synchronous=FULL. One instance writes; others, on other threads, may be opened
 * `readOnly` beside it. The writer moves a damaged file away; the readers continue with the new one.
 */
export function openSqliteArchive(folder: string, options: SqliteArchiveOptions = {}): Archive {
  const { readOnly = false, onDamaged, epoch } = options;
  const path = archivePath(folder);
  const note = new DamageNote(join(folder, 'archive.damaged'));
  const report = (movedTo: string, error: unknown): void => onDamaged?.({ file: path, movedTo, error });
  if (!readOnly) {
    const movedTo = setAsideIfDamaged(path, Date.now());
    if (movedTo !== undefined) report(movedTo, new Error('it cannot be read'));
  }
  let current = openFile(folder, readOnly, epoch);
  let inode = inodeOf(path);
  const reopen = (): void => {
    current = openFile(folder, readOnly, epoch);
    inode = inodeOf(path);
  };
  const replace = async (error: unknown): Promise<void> => {
    await current.close();
    const movedTo = setAside(path, Date.now());
    reopen();
    report(movedTo, error);
  };
  const ready = async (): Promise<void> => {
    if (!readOnly) {
      if (note.take(path)) await replace(new Error('a query found it damaged'));
    } else if (current.isOpen() && inodeOf(path) !== inode) {
      await current.close();
      reopen();
    }
  };
  const failed = async (error: unknown): Promise<unknown> => {
    if (isDamaged(error)) {
      if (readOnly) note.leave(path);
      else await replace(error);
    }
    return asArchiveError(error, path);
  };
  const call = async <T>(work: (archive: Archive) => Promise<T>): Promise<T> => {
    await ready();
    try {
      return await work(current);
    } catch (error) {
      throw await failed(error);
    }
  };
  return {
    put: (events) => call((archive) => archive.put(events)),
    putCorrelations: (documents) => call((archive) => archive.putCorrelations(documents)),
    byCorrelation: (id, query) => call((archive) => archive.byCorrelation(id, query)),
    correlation: (id) => call((archive) => archive.correlation(id)),
    scan: async function* (query, signal) {
      await ready();
      try {
        yield* current.scan(query, signal);
      } catch (error) {
        throw await failed(error);
      }
    },
    range: (...range) => call((archive) => archive.range(...range)),
    counts: () => call((archive) => archive.counts()),
    filled: (epoch) => call((archive) => archive.filled(epoch)),
    markFilled: (epoch, moves) => call((archive) => archive.markFilled(epoch, moves)),
    removedBefore: () => call((archive) => archive.removedBefore()),
    missingEvents: (events) => call((archive) => archive.missingEvents(events)),
    missingCorrelations: (documents) => call((archive) => archive.missingCorrelations(documents)),
    dropBefore: (micros) => call((archive) => archive.dropBefore(micros)),
    close: () => current.close(),
  };
}

/** undefined where there is none. */
function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** The archive on the file as it is now; its errors are SQLite's. */
function openFile(
  folder: string,
  readOnly: boolean,
  epoch: string | undefined,
): Archive & { isOpen: () => boolean } {
  const db = openArchive(folder);
  if (!readOnly && epoch !== undefined) adoptPlaceIds(db, epoch);
  if (readOnly) db.exec('PRAGMA query_only=1');
  const put = db.prepare(
    `INSERT INTO events (${eventColumns}) VALUES (${'?, '.repeat(13)}?) ON CONFLICT (id) DO NOTHING`,
  );
  const putCorrelation = db.prepare(
    `INSERT INTO correlations VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
     SET revision = excluded.revision, last_at = excluded.last_at, document = excluded.document
     WHERE excluded.revision > correlations.revision`,
  );
  const hasCorrelation = db.prepare('SELECT 1 FROM correlations WHERE id = ?');
  const correlation = db.prepare('SELECT document FROM correlations WHERE id = ?');
  const count = db.prepare('UPDATE counts SET value = value + ? WHERE name = ?');
  const hasEvent = db.prepare('SELECT 1 FROM events WHERE id = ?');
  const revisionOf = db.prepare('SELECT revision FROM correlations WHERE id = ?');
  const fill = new FillTable(db);
  const byCorrelation = db.prepare(
    `SELECT ${eventColumns} FROM events WHERE correlation_id = ? AND ts >= ? AND ts < ? AND (ts, partition, "offset") > (?, ?, ?)
     ORDER BY ts, partition, "offset" LIMIT ?`,
  );
  const scan = db.prepare(
    `SELECT ${eventColumns} FROM events WHERE ts >= ? AND ts < ? AND (ts, partition, "offset") > (?, ?, ?)
     ORDER BY ts, partition, "offset" LIMIT ${scanStep}`,
  );
  const range = db.prepare(
    `SELECT ${eventColumns} FROM events WHERE partition = ? AND "offset" >= ? AND "offset" < ?
     ORDER BY "offset"`,
  );
  for (const statement of [byCorrelation, scan, range]) statement.setReturnArrays(true);

  return {
    put: async (events) =>
      transaction(db, () => {
        let added = 0;
        for (const event of events) if (put.run(...rowOf(event)).changes !== 0) added++;
        count.run(added, 'events');
      }),
    putCorrelations: async (documents) =>
      transaction(db, () => {
        let added = 0;
        for (const c of documents) {
          if (hasCorrelation.get(c.id) === undefined) added++;
          putCorrelation.run(c.id, c.revision, c.lastAt, JSON.stringify(c));
        }
        count.run(added, 'correlations');
      }),
    byCorrelation: async (correlationId, options = {}) => {
      const { fromMicros = earliest, toMicros = latest, limit = -1, after, maxBytes = Infinity } = options;
      const from = Math.max(fromMicros, after?.timestamp ?? earliest);
      const { timestamp, partition, offset } = after ?? { timestamp: earliest, partition: -1, offset: -1 };
      const place = [timestamp, partition, offset] as const;
      return eventsUpTo(byCorrelation.iterate(correlationId, from, toMicros, ...place, limit), maxBytes);
    },
    correlation: async (id) => {
      const row = correlation.get(id) as { document: string } | undefined;
      return row === undefined ? undefined : (JSON.parse(row.document) as Correlation);
    },
    scan: (query, signal) =>
      scanInSteps(query, signal, (from, to, last) =>
        eventsUpTo(scan.iterate(from, to, ...last), maxAnswerBytes),
      ),
    range: async (epoch, partition, fromOffset, toOffset, limit) =>
      eventsUpTo(range.iterate(partition, fromOffset, toOffset), maxAnswerBytes, { epoch, limit }),
    counts: async () => {
      const rows = db.prepare('SELECT name, value FROM counts').all() as {
        name: string;
        value: number;
      }[];
      const valueOf = (name: string): number => rows.find((row) => row.name === name)?.value ?? 0;
      return { events: valueOf('events'), correlations: valueOf('correlations') };
    },
    filled: async (epoch) => fill.marks(epoch),
    markFilled: async (epoch, moves) => fill.move(epoch, moves),
    removedBefore: async () => fill.removedBefore(),
    missingEvents: async (events) => events.filter(({ id }) => hasEvent.get(id) === undefined),
    missingCorrelations: async (documents) =>
      documents.filter(({ id, revision }) => {
        const row = revisionOf.get(id) as { revision: number } | undefined;
        return row === undefined || row.revision < revision;
      }),
    dropBefore: async (micros) => {
      // Written first: after a crash, nobody expects the half-removed events to be there.
      fill.noteRemoved(micros);
      let total = 0;
      for (let dropped = deleteStep; dropped === deleteStep; total += dropped) {
        dropped = transaction(db, () => {
          const result = db
            .prepare(
              'DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE ts < ? ORDER BY ts LIMIT ?)',
            )
            .run(micros, deleteStep);
          count.run(-Number(result.changes), 'events');
          return Number(result.changes);
        });
      }
      transaction(db, () => {
        const result = db.prepare('DELETE FROM correlations WHERE last_at < ?').run(micros);
        count.run(-Number(result.changes), 'correlations');
      });
      return total;
    },
    isOpen: () => db.isOpen,
    close: async () => {
      if (db.isOpen) db.close();
    },
  };
}

/** The file of the embedded archive. */
export function archivePath(folder: string): string {
  return join(folder, 'archive.db');
}

function openArchive(folder: string): DatabaseSync {
  const db = openDatabase(archivePath(folder), { pageSize: 8192 });
  // Rows go in at the right edge, whatever their time: keyed by time, late events would split pages that are full of messages.
  db.exec(`
    PRAGMA wal_autocheckpoint=10000;
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS events (
      rowid INTEGER PRIMARY KEY, ts INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
      received_at INTEGER NOT NULL, level INTEGER NOT NULL, service TEXT NOT NULL, host TEXT, message TEXT NOT NULL,
      correlation_id TEXT, correlation_kind TEXT, trace_id TEXT, span_id TEXT, attributes TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS events_ts ON events (ts);
    CREATE INDEX IF NOT EXISTS events_place ON events (partition, "offset");
    CREATE INDEX IF NOT EXISTS events_correlation_id ON events (correlation_id, ts) WHERE correlation_id IS NOT NULL;
    CREATE TABLE IF NOT EXISTS correlations (
      id TEXT PRIMARY KEY, revision INTEGER NOT NULL, last_at INTEGER NOT NULL, document TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT OR IGNORE INTO counts VALUES ('events', 0), ('correlations', 0);
    ${FillTable.schema}
    COMMIT;`);
  return db;
}

/** The file version from which on events and documents have their places as ids. */
const placesVersion = 1;

/** Converts the ids of events and documents in a file of an older release to their places. */
function adoptPlaceIds(db: DatabaseSync, epoch: string): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version >= placesVersion) return;
  db.exec('BEGIN IMMEDIATE');
  // Ignored: two events at one place belong to two logs, and the older log is gone.
  db.prepare(`UPDATE OR IGNORE events SET id = ? || '-' || partition || '-' || "offset"`).run(epoch);
  const documentId = `? || '-' || json_extract(document, '$.partition') || '-' || json_extract(document, '$.firstOffset')`;
  db.prepare(
    `UPDATE OR IGNORE correlations SET id = ${documentId}, document = json_set(document, '$.id', ${documentId})`,
  ).run(epoch, epoch);
  db.exec(`PRAGMA user_version = ${placesVersion}; COMMIT`);
}

type Position = [timestamp: number, partition: number, offset: number];

async function* scanInSteps(
  { fromMicros, toMicros, matches }: ScanQuery,
  signal: AbortSignal,
  read: (from: number, to: number, last: Position) => PlacedEvent[],
): AsyncGenerator<PlacedEvent> {
  let last: Position = [fromMicros, -1, -1];
  while (!signal.aborted) {
    const events = read(last[0], toMicros, last);
    for (const event of events) {
      if (matches === undefined || matches(event)) yield event;
      if (signal.aborted) return;
    }
    if (events.length === 0) return;
    const { timestamp, partition, offset } = events.at(-1)!;
    last = [timestamp, partition, offset];
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Row by row, up to the one that exceeds this many bytes, or the limit: unread rows are not held in memory. */
function eventsUpTo(
  rows: Iterable<unknown>,
  maxBytes: number,
  { epoch, limit = Infinity }: { epoch?: string | undefined; limit?: number } = {},
): PlacedEvent[] {
  const events: PlacedEvent[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (events.length >= limit) break;
    const event = eventOf(row as EventRow);
    if (!mayBeOfEpoch(event.id, epoch)) continue;
    events.push(event);
    bytes += eventBytes(event);
    if (bytes >= maxBytes) break;
  }
  return events;
}

function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** SQLite's result codes after which the same call may succeed: BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const retriableResults = new Set([5, 6, 8, 10, 11, 13, 14, 26]);

function asArchiveError(cause: unknown, path: string): unknown {
  nameFile(cause, path);
  const result = resultCode(cause);
  if (result === undefined || !retriableResults.has(result)) return cause;
  return new ArchiveError((cause as Error).message, { cause });
}

import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { FillTable, openDatabase } from '@logloom/sqlite';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ArchiveError, type Archive, type ScanQuery } from './archive.ts';
import { eventColumns, eventOf, rowOf, type EventRow } from './archived-event.ts';

const scanStep = 1000;
const earliest = Number.MIN_SAFE_INTEGER;
const latest = Number.MAX_SAFE_INTEGER;
/** Deleting goes in steps, so that writing has its turn between them. */
const deleteStep = 5000;

/**
 * The embedded archive: one SQLite file in the folder, WAL, synchronous=FULL. One instance writes; others, on other threads, may be
 * opened `readOnly` beside it.
 */
export function openSqliteArchive(folder: string, { readOnly = false } = {}): Archive {
  const db = openArchive(folder);
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
    `SELECT ${eventColumns} FROM events WHERE correlation_id = ? AND ts >= ? AND ts < ?
     ORDER BY ts, partition, "offset" LIMIT ?`,
  );
  const scan = db.prepare(
    `SELECT ${eventColumns} FROM events WHERE ts >= ? AND ts < ? AND (ts, partition, "offset") > (?, ?, ?)
     ORDER BY ts, partition, "offset" LIMIT ${scanStep}`,
  );
  const range = db.prepare(
    `SELECT ${eventColumns} FROM events WHERE partition = ? AND "offset" >= ? AND "offset" < ?
     ORDER BY "offset" LIMIT ?`,
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
    byCorrelation: async (correlationId, { fromMicros = earliest, toMicros = latest, limit = -1 } = {}) =>
      attempt(() => {
        const rows = byCorrelation.all(correlationId, fromMicros, toMicros, limit);
        return (rows as unknown as EventRow[]).map(eventOf);
      }),
    correlation: async (id) => {
      const row = attempt(() => correlation.get(id)) as { document: string } | undefined;
      return row === undefined ? undefined : (JSON.parse(row.document) as Correlation);
    },
    scan: (query, signal) =>
      scanInSteps(query, signal, (from, to, last) =>
        attempt(() => scan.all(from, to, ...last) as unknown as EventRow[]),
      ),
    range: async (partition, fromOffset, toOffset, limit) =>
      attempt(() =>
        (range.all(partition, fromOffset, toOffset, limit) as unknown as EventRow[]).map(eventOf),
      ),
    counts: async () => {
      const rows = attempt(() => db.prepare('SELECT name, value FROM counts').all()) as {
        name: string;
        value: number;
      }[];
      const valueOf = (name: string): number => rows.find((row) => row.name === name)?.value ?? 0;
      return { events: valueOf('events'), correlations: valueOf('correlations') };
    },
    filled: async (epoch) => attempt(() => fill.marks(epoch)),
    markFilled: async (epoch, moves) => attempt(() => fill.move(epoch, moves)),
    removedBefore: async () => attempt(() => fill.removedBefore()),
    missingEvents: async (events) => attempt(() => events.filter(({ id }) => hasEvent.get(id) === undefined)),
    missingCorrelations: async (documents) =>
      attempt(() =>
        documents.filter(({ id, revision }) => {
          const row = revisionOf.get(id) as { revision: number } | undefined;
          return row === undefined || row.revision < revision;
        }),
      ),
    dropBefore: async (micros) => {
      // First: what is half removed is no more expected to be there.
      attempt(() => fill.noteRemoved(micros));
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

type Position = [timestamp: number, partition: number, offset: number];

async function* scanInSteps(
  { fromMicros, toMicros, matches }: ScanQuery,
  signal: AbortSignal,
  read: (from: number, to: number, last: Position) => EventRow[],
): AsyncGenerator<PlacedEvent> {
  let last: Position = [fromMicros, -1, -1];
  while (!signal.aborted) {
    const rows = read(last[0], toMicros, last);
    for (const row of rows) {
      const event = eventOf(row);
      if (matches === undefined || matches(event)) yield event;
      if (signal.aborted) return;
    }
    if (rows.length < scanStep) return;
    const [timestamp, , partition, offset] = rows.at(-1)!;
    last = [timestamp, partition, offset];
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function transaction<T>(db: DatabaseSync, work: () => T): T {
  return attempt(() => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  });
}

/** SQLite's result codes after which the same call may succeed: BUSY, LOCKED, IOERR, FULL, CANTOPEN. */
const retriableResults = new Set([5, 6, 10, 13, 14]);

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const result = (cause as { errcode?: number }).errcode;
    if (result === undefined || !retriableResults.has(result & 0xff)) throw cause;
    throw new ArchiveError((cause as Error).message, { cause });
  }
}

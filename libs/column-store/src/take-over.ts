import { levels, placeId, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { isDamaged, setAside, type DamagedFile } from '@logloom/sqlite';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ColumnStore } from './column-store.ts';
import type { ViewName } from './views.ts';

/** How far the content of an earlier release's stores is taken over. */
export interface TakeOverProgress {
  /** Rows that were read, of all. */
  done: number;
  all: number;
}

const stepRows = 4096;
const retryMs = 10_000;
const oldFile = /^(?:archive|search(?:-\d+)?)\.db(?:-wal|-shm)?$|^search\.current$/;
/** The file version from which on events and documents have their places as ids. */
const placesVersion = 1;

/** The files of stores of earlier releases in the folder, the archive first: it has all columns. */
function oldStores(folder: string): { view: ViewName; path: string }[] {
  const pointer = join(folder, 'search.current');
  const search = existsSync(pointer) ? readFileSync(pointer, 'utf8') : 'search.db';
  return [
    { view: 'archive' as const, path: join(folder, 'archive.db') },
    { view: 'search' as const, path: join(folder, search) },
  ].filter(({ path }) => existsSync(path));
}

/**
 * Whether the folder has stores of an earlier release. The first call copies what their views say about the log and about retention, so
 * that nothing is read from the log again.
 */
export function beginTakeOver(store: ColumnStore): boolean {
  const old = oldStores(store.folder);
  if (old.length === 0) return false;
  const { catalog } = store;
  if (catalog.all("SELECT 1 FROM state WHERE name = 'takeOver/begun'").length > 0) return true;
  const copies = old.map(({ view, path }) => {
    try {
      using db = openOld(path);
      return {
        view,
        filled: rowsOf(db, 'SELECT epoch, topic, partition, "offset" FROM filled') as [
          string,
          string,
          number,
          number,
        ][],
        removed: rowsOf(db, 'SELECT micros FROM removed') as [number][],
      };
    } catch {
      // An older release had no marks; a damaged file has none that can be read.
      return { view, filled: [], removed: [] };
    }
  });
  catalog.write(() => {
    for (const { view, filled, removed } of copies) {
      for (const mark of filled)
        catalog.run('INSERT OR IGNORE INTO filled VALUES (?, ?, ?, ?, ?)', view, ...mark);
      for (const [micros] of removed)
        catalog.run('INSERT OR IGNORE INTO removed VALUES (?, ?)', view, micros);
    }
    catalog.run("INSERT INTO state VALUES ('takeOver/begun', 1)");
  });
  return true;
}

export interface TakeOverOptions {
  /** Of logs.events: gives ids to events of releases whose ids were not their places. */
  epoch: string | undefined;
  onProgress: (progress: TakeOverProgress) => void;
  onFailed: (error: unknown) => void;
  onDamaged: (damaged: DamagedFile) => void;
}

/**
 * Copies the content of an earlier release's stores, the latest first, and removes their files when all is copied. It goes on where it
 * ended; what is copied twice is stored once.
 */
export async function takeOver(
  store: ColumnStore,
  { epoch, onProgress, onFailed, onDamaged }: TakeOverOptions,
  signal: AbortSignal,
): Promise<void> {
  const progress = { done: 0, all: 0 };
  const old = oldStores(store.folder);
  for (const { path } of old) progress.all += countRows(path);
  for (const { view, path } of old) {
    for (const table of ['events', 'correlations'] as const) {
      for (;;) {
        if (signal.aborted) return;
        try {
          const copied = await copyStep(store, { view, path, table, epoch });
          if (copied === 0) break;
          onProgress({ ...progress, done: (progress.done += copied) });
        } catch (error) {
          if (signal.aborted) return;
          if (isDamaged(error)) {
            onDamaged({ file: path, movedTo: setAside(path, Date.now()), error });
            break;
          }
          onFailed(error);
          await sleep(retryMs, undefined, { signal }).catch(() => {});
        }
      }
    }
  }
  for (const name of readdirSync(store.folder))
    if (oldFile.test(name)) rmSync(join(store.folder, name), { force: true });
  store.catalog.write(() => store.catalog.run("DELETE FROM state WHERE name LIKE 'takeOver/%'"));
}

interface Source {
  view: ViewName;
  path: string;
  table: 'events' | 'correlations';
  epoch: string | undefined;
}

/** Returns how many rows were copied. */
async function copyStep(store: ColumnStore, { view, path, table, epoch }: Source): Promise<number> {
  const name = `takeOver/${view}/${table}`;
  const { catalog } = store;
  const [known] = catalog.all<{ value: number }>('SELECT value FROM state WHERE name = ?', name);
  if (!existsSync(path)) return 0;
  const { rows, isOld } = readStep(path, view, table, known?.value ?? Number.MAX_SAFE_INTEGER);
  if (rows.length === 0) return 0;
  const placed = epoch !== undefined && isOld ? epoch : undefined;
  if (table === 'events') {
    const events = rows.map((row) => eventOf(row as EventRow));
    if (placed !== undefined)
      for (const event of events) event.id = placeId(placed, event.partition, event.offset);
    await store.putEvents(view, events);
  } else {
    const documents = rows.map((row) => JSON.parse((row as DocumentRow)[1]) as Correlation);
    if (placed !== undefined)
      for (const document of documents)
        document.id = placeId(placed, document.partition, document.firstOffset);
    await store.putDocuments(view, documents);
  }
  const next = rows.at(-1)![0] as number;
  catalog.write(() => catalog.run('INSERT OR REPLACE INTO state VALUES (?, ?)', name, next));
  return rows.length;
}

type EventRow = [
  rowid: number,
  timestamp: number,
  id: string,
  partition: number,
  offset: number,
  receivedAt: number,
  level: number,
  service: string,
  host: string | null,
  message: string,
  correlationId: string | null,
  correlationKind: string | null,
  traceId: string | null,
  spanId: string | null,
  attributes: string,
];
type DocumentRow = [rowid: number, document: string];

function readStep(
  path: string,
  view: ViewName,
  table: 'events' | 'correlations',
  before: number,
): { rows: unknown[][]; isOld: boolean } {
  using db = openOld(path);
  const columns =
    table === 'events'
      ? `rowid, ts, id, partition, "offset", ${view === 'archive' ? 'received_at' : 'ts / 1000'}, level, service, host, message,
         correlation_id, correlation_kind, trace_id, span_id, attributes`
      : 'rowid, document';
  const version = rowsOf(db, 'PRAGMA user_version')[0]![0] as number;
  return {
    rows: rowsOf(
      db,
      `SELECT ${columns} FROM ${table} WHERE rowid < ${before} ORDER BY rowid DESC LIMIT ${stepRows}`,
    ),
    isOld: version < placesVersion,
  };
}

function eventOf(row: EventRow): PlacedEvent {
  return {
    id: row[2],
    partition: row[3],
    offset: row[4],
    source: { kind: 'archive', topic: '', partition: row[3], offset: row[4], index: 0 },
    timestamp: row[1],
    receivedAt: row[5],
    level: levels[row[6]]!,
    service: row[7],
    host: row[8],
    message: row[9],
    correlationId: row[10],
    correlationKind: row[11],
    traceId: row[12],
    spanId: row[13],
    attributes: row[14],
  };
}

function countRows(path: string): number {
  try {
    using db = openOld(path);
    return (rowsOf(db, 'SELECT sum(value) FROM counts')[0]?.[0] as number | null) ?? 0;
  } catch {
    return 0;
  }
}

function openOld(path: string): DatabaseSync & Disposable {
  return new DatabaseSync(path, { timeout: 10_000 });
}

function rowsOf(db: DatabaseSync, sql: string): unknown[][] {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement.all() as unknown as unknown[][];
}

import {
  DamageNote,
  isDamaged,
  nameFile,
  resultCode,
  setAside,
  setAsideIfDamaged,
  type DamagedFile,
} from '@logloom/sqlite';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SearchStoreError, type SearchRebuild, type SearchStore } from '../search-store.ts';
import { currentFile, makeCurrent, nextFile, removeOthers } from './generation.ts';
import { SqliteReader } from './reader.ts';
import { adoptPlaceIds, openForReading, openForWriting } from './schema.ts';
import { HeldItems } from './held-items.ts';
import { SqliteWriter } from './writer.ts';

export interface SqliteSearchStoreOptions {
  /** Opens for queries only: writes reject, and other threads' writes are seen as they are committed. */
  readOnly?: boolean;
  /** How long one query may test rows; default 10 s. */
  queryLimitMs?: number;
  /** How long a search may count; default 3 s. Then its total is what was counted until then, and not exact. */
  countLimitMs?: number;
  /** Called when a damaged file was moved away; an empty one takes its place and has to be filled again. */
  onDamaged?: (damaged: DamagedFile) => void;
  /** The log's epoch: the writer uses it to convert the ids of events that an older release has written. */
  epoch?: string | undefined;
  /** A page ends after this many bytes; default 8 MiB. */
  pageBytes?: number | undefined;
}

/** The file that serves queries, opened. */
interface Generation {
  file: string;
  db: DatabaseSync;
  reader: SqliteReader;
  writer: SqliteWriter | undefined;
  held: HeldItems;
}

/**
 * The embedded search store: one SQLite file with FTS5 in the folder, WAL, synchronous=FULL. One connection writes; any number on other
 * threads read. Writes are fast because words are indexed from the rows (writer.ts) and big batches share one commit. A rebuild creates a
 * second file and then names it in `search.current`, which readers check before each query.
 */
export function openSqliteSearchStore(folder: string, options: SqliteSearchStoreOptions = {}): SearchStore {
  const {
    readOnly = false,
    queryLimitMs = 10_000,
    countLimitMs = 3000,
    pageBytes,
    onDamaged,
    epoch,
  } = options;
  const note = new DamageNote(join(folder, 'search.damaged'));
  const open = (file: string): Generation => {
    const path = join(folder, file);
    const db = readOnly ? openForReading(path) : openForWriting(path);
    if (!readOnly && epoch !== undefined) adoptPlaceIds(db, epoch);
    return {
      file,
      db,
      reader: new SqliteReader(db, { queryLimitMs, countLimitMs, pageBytes }),
      writer: readOnly ? undefined : new SqliteWriter(db),
      held: new HeldItems(db),
    };
  };
  mkdirSync(folder, { recursive: true });
  if (!readOnly) {
    removeOthers(folder);
    const file = join(folder, currentFile(folder));
    const movedTo = setAsideIfDamaged(file, Date.now());
    if (movedTo !== undefined) {
      serveNextFile(folder);
      onDamaged?.({ file, movedTo, error: new Error('it cannot be read') });
    }
  }
  let current = open(currentFile(folder));
  let unfinished: SearchRebuild | undefined;
  const switchTo = (file: string): void => {
    const before = current;
    current = open(file);
    close(before.db);
  };
  const reading = (): SqliteReader => {
    // Checked again after opening: another switch may have removed the file that was just named.
    while (readOnly && current.db.isOpen && currentFile(folder) !== current.file)
      switchTo(currentFile(folder));
    return current.reader;
  };
  const writing = (): SqliteWriter => {
    if (current.writer === undefined) throw new TypeError('this search store was opened for reading only');
    const file = join(folder, current.file);
    if (note.take(file)) replace(file, new Error('a query found it damaged'));
    return current.writer;
  };
  const held = (): HeldItems => {
    if (readOnly) reading();
    else writing();
    return current.held;
  };
  /** Moves the damaged file away and serves from an empty one. */
  const replace = (file: string, error: unknown): void => {
    // A rebuild in progress would create the file that now gets the name.
    void unfinished?.discard();
    close(current.db);
    const movedTo = setAside(file, Date.now());
    switchTo(serveNextFile(folder));
    onDamaged?.({ file, movedTo, error });
  };
  const attempt = <T>(work: () => T): T => {
    const file = join(folder, current.file);
    try {
      return work();
    } catch (error) {
      if (isDamaged(error)) {
        if (readOnly) note.leave(file);
        else replace(file, error);
      }
      throw asStoreError(error, file);
    }
  };
  return {
    index: async (events) => {
      attempt(() => writing().index(events));
      return [];
    },
    indexCorrelations: async (documents) => {
      attempt(() => writing().indexCorrelations(documents));
      return [];
    },
    search: async (query) => attempt(() => reading().search(query)),
    histogram: async (query) => attempt(() => reading().histogram(query)),
    topValues: async (query) => attempt(() => reading().topValues(query)),
    aggregate: async (query) => attempt(() => reading().aggregate(query)),
    scan: async (query) => attempt(() => reading().scan(query)),
    fields: async () => attempt(() => reading().fields()),
    event: async (id) => attempt(() => reading().event(id)),
    correlations: async (query) => attempt(() => reading().correlations(query)),
    correlation: async (id) => attempt(() => reading().correlation(id)),
    correlationsById: async (correlationId) => attempt(() => reading().correlationsById(correlationId)),
    correlationsByIds: async (ids, limit) => attempt(() => reading().correlationsByIds(ids, limit)),
    shapeDurations: async (query) => attempt(() => reading().shapeDurations(query)),
    groupRequests: async (query) => attempt(() => reading().groupRequests(query)),
    counts: async () => attempt(() => reading().counts()),
    deleteBefore: async (micros) => attempt(() => writing().deleteBefore(micros)),
    filled: async (epoch) => attempt(() => writing().fill.marks(epoch)),
    markFilled: async (epoch, moves) => attempt(() => writing().fill.move(epoch, moves)),
    removedBefore: async () => attempt(() => held().removedBefore()),
    missingEvents: async (events) => attempt(() => held().missingEvents(events)),
    missingCorrelations: async (documents) => attempt(() => held().missingCorrelations(documents)),
    rebuild: async () => {
      attempt(writing);
      await unfinished?.discard();
      return (unfinished = attempt(() => startRebuild(folder, epoch, () => current.db, switchTo)));
    },
    close: async () => {
      await unfinished?.discard();
      close(current.db);
    },
  };
}

function startRebuild(
  folder: string,
  epoch: string | undefined,
  serving: () => DatabaseSync,
  switchTo: (file: string) => void,
): SearchRebuild {
  removeOthers(folder);
  const file = nextFile(folder);
  const db = openForWriting(join(folder, file));
  if (epoch !== undefined) adoptPlaceIds(db, epoch);
  const writer = new SqliteWriter(db);
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw asStoreError(error, join(folder, file));
    }
  };
  // Nobody relies on it before commit(), and syncing each write would cost more than everything else.
  db.exec('PRAGMA synchronous=OFF');
  let isOver = false;
  return {
    index: async (events) => attempt(() => writer.index(events)),
    indexCorrelations: async (documents) => attempt(() => writer.indexCorrelations(documents)),
    // Only one process has the file open for writing.
    seal: async () => {},
    commit: async () =>
      attempt(() => {
        if (isOver) throw new Error('the rebuild is over: it was discarded, or another one begun');
        isOver = true;
        // The rebuild has read to the log's end, so it holds at least what the old file's marks say.
        writer.fill.copyFrom(serving());
        // Closing the last connection moves the write-ahead log into the file.
        close(db);
        makeCurrent(folder, file);
        switchTo(file);
        removeOthers(folder);
      }),
    discard: async () => {
      if (isOver) return;
      isOver = true;
      close(db);
      removeOthers(folder);
    },
  };
}

/** Creates an empty file of the next generation and makes it serve; returns its name. */
function serveNextFile(folder: string): string {
  const file = nextFile(folder);
  openForWriting(join(folder, file)).close();
  makeCurrent(folder, file);
  return file;
}

/** SQLite's result codes after which the same call may succeed: BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const retriableResults = new Set([5, 6, 8, 10, 11, 13, 14, 26]);

function asStoreError(cause: unknown, file: string): unknown {
  nameFile(cause, file);
  const result = resultCode(cause);
  if (result === undefined || !retriableResults.has(result)) return cause;
  return new SearchStoreError('store-unavailable', (cause as Error).message, { cause });
}

function close(db: DatabaseSync): void {
  if (db.isOpen) db.close();
}

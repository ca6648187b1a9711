import type { DatabaseSync } from 'node:sqlite';
import { SearchStoreError, type SearchStore } from './search-store.ts';
import { SqliteReader } from './sqlite-reader.ts';
import { openForReading, openForWriting } from './sqlite-schema.ts';
import { SqliteWriter } from './sqlite-writer.ts';

export interface SqliteSearchStoreOptions {
  /** Opens for queries only: writes reject, and other threads' writes are seen as they are committed. */
  readOnly?: boolean;
  /** How long one query may test rows; default 10 s. */
  queryLimitMs?: number;
}

/**
 * The embedded search store: one SQLite file with FTS5 in the folder, WAL, synchronous=FULL. One connection writes; any number on
 * other threads read. Writes are fast because words are indexed from the rows (sqlite-writer.ts) and big batches share one commit.
 */
export function openSqliteSearchStore(folder: string, options: SqliteSearchStoreOptions = {}): SearchStore {
  const { readOnly = false, queryLimitMs = 10_000 } = options;
  const db = readOnly ? openForReading(folder) : openForWriting(folder);
  const reader = new SqliteReader(db, queryLimitMs);
  const writer = readOnly ? undefined : new SqliteWriter(db);
  const writing = (): SqliteWriter => {
    if (writer === undefined) throw new TypeError('this search store was opened for reading only');
    return writer;
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
    search: async (query) => attempt(() => reader.search(query)),
    histogram: async (query) => attempt(() => reader.histogram(query)),
    topValues: async (query) => attempt(() => reader.topValues(query)),
    fields: async () => attempt(() => reader.fields()),
    event: async (id) => attempt(() => reader.event(id)),
    correlations: async (query) => attempt(() => reader.correlations(query)),
    correlation: async (id) => attempt(() => reader.correlation(id)),
    correlationsById: async (correlationId) => attempt(() => reader.correlationsById(correlationId)),
    counts: async () => attempt(() => reader.counts()),
    deleteBefore: async (micros) => attempt(() => writing().deleteBefore(micros)),
    close: async () => close(db),
  };
}

/** SQLite's result codes after which the same call may succeed: BUSY, LOCKED, IOERR, FULL, CANTOPEN. */
const retriableResults = new Set([5, 6, 10, 13, 14]);

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const result = (cause as { errcode?: number }).errcode;
    if (result === undefined || !retriableResults.has(result & 0xff)) throw cause;
    throw new SearchStoreError('store-unavailable', (cause as Error).message, { cause });
  }
}

function close(db: DatabaseSync): void {
  if (db.isOpen) db.close();
}

import { resultCode } from '@logloom/sqlite';

/** The store could not do it at present; the same call may succeed. `cause` is the error of SQLite, DuckDB or the file system. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
  }
}

/** SQLite's result codes after which the same call may succeed: BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const retriableResults = new Set([5, 6, 8, 10, 11, 13, 14, 26]);
/** DuckDB's errors begin with their kind. */
const retriableKinds = /^(?:IO Error|Out of Memory Error|TransactionContext Error)/;
const unreadable =
  /No magic bytes|magic bytes|TProtocol|Parquet|decompress|ZSTD|corrupt|Could not read|No files found|Invalid Input Error: .*file/i;

/** Whether DuckDB could not read a file. */
export function isUnreadable(error: unknown): boolean {
  return (
    resultCode(error) === undefined &&
    error instanceof Error &&
    /^(?:IO|Invalid Input|Invalid|Serialization) Error/.test(error.message) &&
    !/No space left/.test(error.message) &&
    unreadable.test(error.message)
  );
}

/** The error as the store's users get it. */
export function asUnavailable(error: unknown): unknown {
  const result = resultCode(error);
  if (result !== undefined) return retriableResults.has(result) ? new StoreUnavailable(error) : error;
  if (isUnreadable(error)) return new StoreUnavailable(error);
  if (!(error instanceof Error)) return error;
  // DuckDB gives no code.
  if (/No space left on device/.test(error.message)) Object.assign(error, { code: 'ENOSPC' });
  else if (/Permission denied/.test(error.message)) Object.assign(error, { code: 'EACCES' });
  const isOfDisk = /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '');
  return isOfDisk || retriableKinds.test(error.message) ? new StoreUnavailable(error) : error;
}

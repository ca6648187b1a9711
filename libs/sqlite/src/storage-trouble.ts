import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { storageErrors } from './errors.ts';
import { resultCode } from './result-code.ts';

/** Why a file cannot be written at present; it can once somebody has made room or granted permission. */
export type StorageTrouble = keyof typeof storageErrors;

const byErrno: Readonly<Record<string, StorageTrouble>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  // Errors that were classified before, also on another thread.
  'disk-full': 'disk-full',
  'read-only': 'read-only',
};
const ioError = 10;
/** SQLITE_IOERR_SHMSIZE: the index of the write-ahead log cannot grow. Source: sqlite.org/rescode.html. */
const sharedMemory = 10 | (19 << 8);

/** Distinguishes a full and a read-only disk from all other errors, of SQLite and of the file system. */
export function storageTrouble(error: unknown): StorageTrouble | undefined {
  const result = resultCode(error);
  if (result === 13) return 'disk-full';
  if (result === 8) return 'read-only';
  if (result === ioError)
    return (error as { errcode: number }).errcode === sharedMemory ? 'disk-full' : undefined;
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return (
    (typeof code === 'string' ? byErrno[code] : undefined) ??
    (cause === undefined ? undefined : storageTrouble(cause))
  );
}

/** Like storageTrouble(), for an error while opening or creating a file: SQLite says only that it cannot. */
export function openingTrouble(error: unknown, path: string): StorageTrouble | undefined {
  if (resultCode(error) !== 14) return storageTrouble(error);
  try {
    accessSync(dirname(path), constants.W_OK);
    return undefined;
  } catch (refused) {
    return storageTrouble(refused);
  }
}

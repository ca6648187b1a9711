import { pragma } from '@logloom/sqlite';
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** Pages that are returned at once: writers wait for it. */
const stepPages = 32;
/** So much of a file, or so many bytes of it, may be free: appends use them. */
const freeShare = 0.05;
const fewBytes = 128 * 1024;
/** A write-ahead file of this many bytes stays. */
const smallWal = 2 ** 20;

/** Rewriting so many bytes takes a fraction of a second. */
const quicklyRewritten = 64 * 2 ** 20;

/**
 * Rewrites a file of a release that could not return room, once most of it is free and the rest is small. For the process that has it to
 * itself. Throws SQLite's errors.
 */
export function rewriteIfMostlyFree(db: DatabaseSync): void {
  const value = (name: string): number => pragma(db, name);
  const [free, pages] = [value('freelist_count'), value('page_count')];
  const kept = (pages - free) * value('page_size');
  if (
    value('auto_vacuum') !== 0 ||
    free * value('page_size') <= fewBytes ||
    free * 2 < pages ||
    kept > quicklyRewritten
  )
    return;
  db.exec('PRAGMA auto_vacuum=INCREMENTAL');
  db.exec('VACUUM');
}

/**
 * Returns the free pages of a file to the disk, as far as the file was made for it, and empties its write-ahead file. `whenFree` does a
 * piece of work once no other connection writes.
 */
export async function returnRoom(
  db: DatabaseSync,
  whenFree: <T>(work: () => T) => Promise<T>,
  signal: AbortSignal,
): Promise<void> {
  const value = (name: string): number => pragma(db, name);
  const isExcessive = (free: number): boolean =>
    free * value('page_size') > fewBytes && free > freeShare * value('page_count');
  const isIncremental = value('auto_vacuum') === 2;
  for (let free = value('freelist_count'); isIncremental && isExcessive(free) && !signal.aborted;) {
    await whenFree(() => db.exec(`PRAGMA incremental_vacuum(${stepPages})`));
    const left = value('freelist_count');
    if (left >= free) break;
    free = left;
  }
  const wal = statSync(`${db.location()}-wal`, { throwIfNoEntry: false });
  // Readers may keep it from being emptied now; the next pass tries again.
  if ((wal?.size ?? 0) > smallWal && !signal.aborted) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nameFile, withFileNamed } from './name-file.ts';
import { isBusy } from './result-code.ts';

/** How long (ms) a connection waits for another one's lock. */
const lockWaitMs = 10_000;

export interface DatabaseOptions {
  /** Bytes of a page of a new file. */
  pageSize?: number;
  /** `incremental`: PRAGMA incremental_vacuum returns room of a new file to the disk. */
  vacuum?: 'incremental';
  /** How large (bytes) the write-ahead file grows before a commit moves it into the file. Default: 1,000 pages. */
  checkpointBytes?: number;
  /** How long (ms) this connection waits for another one's lock. */
  waitMs?: number;
}

/**
 * Opens a database file, and creates it and its folder if they are missing. Write-ahead log and synchronous=FULL: a commit returns when it
 * is on disk. Several threads and processes may open it at once. Errors name the file.
 */
export function openDatabase(path: string, options: DatabaseOptions = {}): DatabaseSync {
  const { pageSize = 4096, vacuum, checkpointBytes, waitMs = lockWaitMs } = options;
  mkdirSync(dirname(path), { recursive: true });
  const db = withFileNamed(path, () => new DatabaseSync(path, { timeout: waitMs }));
  try {
    db.exec(`PRAGMA page_size=${pageSize}`);
    // In a file that has it this would be a write.
    if (vacuum === 'incremental' && pragma(db, 'page_count') === 0) db.exec('PRAGMA auto_vacuum=INCREMENTAL');
    turnOnWal(db);
    db.exec('PRAGMA synchronous=FULL');
    if (checkpointBytes !== undefined) setCheckpoint(db, checkpointBytes);
  } catch (error) {
    db.close();
    throw nameFile(error, path);
  }
  return db;
}

/** SQLite counts pages, and an older file may have others than new ones. */
function setCheckpoint(db: DatabaseSync, bytes: number): void {
  db.exec(`PRAGMA wal_autocheckpoint=${Math.ceil(bytes / pragma(db, 'page_size'))}`);
}

/** The value of a pragma that is a number. */
export function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

/**
 * If two connections turn it on at the same moment, SQLite refuses one at once, whatever its timeout: both hold a read lock that they want
 * to raise, so waiting would never end.
 */
function turnOnWal(db: DatabaseSync): void {
  for (const deadline = Date.now() + lockWaitMs; ; pause(1 + 10 * Math.random())) {
    try {
      db.exec('PRAGMA journal_mode=WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
    }
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

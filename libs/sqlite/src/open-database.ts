import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nameFile, withFileNamed } from './name-file.ts';
import { isBusy } from './result-code.ts';

/** How long (ms) a connection waits for another one's lock. */
const lockWaitMs = 10_000;

/**
 * Opens a database file, and creates it and its folder if they are missing. Write-ahead log and synchronous=FULL: a commit returns when it
 * is on disk. Several threads and processes may open it at once. `pageSize` (bytes) applies to a new file. Errors name the file.
 */
export function openDatabase(path: string, { pageSize = 4096 }: { pageSize?: number } = {}): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const db = withFileNamed(path, () => new DatabaseSync(path, { timeout: lockWaitMs }));
  try {
    db.exec(`PRAGMA page_size=${pageSize}`);
    turnOnWal(db);
    db.exec('PRAGMA synchronous=FULL');
  } catch (error) {
    db.close();
    throw nameFile(error, path);
  }
  return db;
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

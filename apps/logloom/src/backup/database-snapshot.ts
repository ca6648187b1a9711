import { nameFile } from '@logloom/sqlite';
import { closeSync, fdatasyncSync, openSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { syncPath } from './manifest.ts';
import type { Pace } from './pace.ts';

const bytesPerStep = 2 ** 20;
const bytesPerSync = 32 * 2 ** 20;

/**
 * A database as it is at one moment, to be copied at leisure while others write to it. In WAL mode a reader holds up no writer; but what is
 * written meanwhile stays in the write-ahead file until the snapshot is closed.
 */
export class DatabaseSnapshot implements Disposable {
  readonly bytes: number;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #pageBytes: number;

  /** Throws SQLite's error, with the file named. */
  constructor(path: string) {
    this.#path = path;
    let db: DatabaseSync | undefined;
    try {
      this.#db = db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
      // The snapshot is taken by the first read.
      db.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
      const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
      const { page_size: size } = db.prepare('PRAGMA page_size').get() as { page_size: number };
      this.#pageBytes = size;
      this.bytes = pages * size;
    } catch (error) {
      db?.close();
      throw nameFile(error, path);
    }
  }

  /**
   * Writes the snapshot to a new file and waits until it is on the disk. Memory is bounded by SQLite's cache. The source's transaction makes
   * the steps read the same snapshot: without it SQLite would begin again after each write of another process.
   */
  async copyTo(path: string, pace: Pace, signal: AbortSignal): Promise<void> {
    let written: number | undefined;
    let unsynced = 0;
    try {
      await backup(this.#db, path, {
        rate: Math.max(1, Math.floor(bytesPerStep / this.#pageBytes)),
        progress: () => {
          signal.throwIfAborted();
          pace.moved(bytesPerStep);
          unsynced += bytesPerStep;
          if (unsynced < bytesPerSync) return;
          // What piles up in the page cache would hold up the fsyncs of others at the end.
          unsynced = 0;
          written ??= openSync(path, 'r');
          fdatasyncSync(written);
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw nameFile(error, path);
    } finally {
      if (written !== undefined) closeSync(written);
    }
    syncPath(path);
  }

  /** The values of a statement's first column. */
  values(sql: string): unknown[] {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all().map((row) => (row as unknown as unknown[])[0]);
  }

  get path(): string {
    return this.#path;
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }
}

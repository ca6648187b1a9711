import { DatabaseSync } from 'node:sqlite';
import { nameFile } from './name-file.ts';

/** How many faults of one file are reported. */
const mostFaults = 10;

/** Reads the pages of a database file and compares its tables with their indices; returns what is wrong, in SQLite's words. */
export function checkFile(path: string): string[] {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    db.exec('PRAGMA query_only=1');
    const rows = db.prepare(`PRAGMA integrity_check(${mostFaults})`).all() as { integrity_check: string }[];
    return rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
  } catch (error) {
    return [(nameFile(error, path) as Error).message];
  } finally {
    db?.close();
  }
}

import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { resultCode } from './result-code.ts';

/** Whether SQLite reports that the file's content is damaged: CORRUPT, NOTADB. */
export function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return code === 11 || code === 26;
}

/**
 * For a file that can be rebuilt: if it is not a database, or its schema cannot be read, moves it away and returns its new name,
 * `<name>.corrupt-<ms>`. Undefined if there is no file or it can be opened. Only for a process that has the file to itself.
 */
export function setAsideIfDamaged(path: string, nowMs: number): string | undefined {
  if (!existsSync(path)) return undefined;
  const db = new DatabaseSync(path, { timeout: 10_000 });
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return undefined;
  } catch (error) {
    if (!isDamaged(error)) throw error;
  } finally {
    db.close();
  }
  return setAside(path, nowMs);
}

/** Moves a database and its companion files away; returns its new name. */
export function setAside(path: string, nowMs: number): string {
  const aside = `${path}.corrupt-${nowMs}`;
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}

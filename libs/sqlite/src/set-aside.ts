import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { resultCode } from './result-code.ts';

/** Whether SQLite says that the file's content is not what it wrote: CORRUPT, NOTADB. */
export function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return code === 11 || code === 26;
}

/**
 * For a file that can be made again: moves one that is no database, or whose schema cannot be read, out of the way, and returns its new
 * name, `<name>.corrupt-<ms>`. undefined when there is none or it can be opened. Only for who has the file alone.
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

/** Moves a database and what belongs to it out of the way; returns its new name. */
export function setAside(path: string, nowMs: number): string {
  const aside = `${path}.corrupt-${nowMs}`;
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}

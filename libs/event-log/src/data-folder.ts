import { isBusy } from '@logloom/sqlite';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventLogError } from './event-log.ts';

/**
 * Takes the data folder for this process; the lock ends with the process, however it ends. Throws EventLogError `data-in-use`
 * when another process has it: two writers would each believe in their own offsets.
 */
export function lockDataFolder(folder: string): Disposable {
  mkdirSync(folder, { recursive: true });
  const db = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (cause) {
    db.close();
    if (!isBusy(cause)) throw cause;
    throw new EventLogError('data-in-use', `another process uses the data folder ${folder}`, { cause });
  }
  return { [Symbol.dispose]: () => db.close() };
}

import { isBusy, nameFile, setAsideIfDamaged } from '@logloom/sqlite';
import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventLogError } from './event-log.ts';

/**
 * Locks the data folder for this process; both locks end with the process, however it ends. Throws EventLogError `data-in-use` when another
 * process has it: two writers would each believe in their own offsets.
 *
 * One lock is on a file in the folder, which holds between machines and containers that share the folder. If somebody deletes that file,
 * the next process could create and lock another one; so, on Linux, an abstract socket name derived from the folder is taken too.
 */
export function lockDataFolder(folder: string): Disposable {
  mkdirSync(folder, { recursive: true });
  const name = takeName(folder);
  try {
    const file = lockFile(folder);
    return {
      [Symbol.dispose]: () => {
        file.close();
        name?.close();
      },
    };
  } catch (error) {
    name?.close();
    throw error;
  }
}

function lockFile(folder: string): DatabaseSync {
  const path = join(folder, 'lock.db');
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE;');
    return db;
  } catch (cause) {
    db.close();
    if (isBusy(cause)) throw inUse(folder, cause);
    // The file holds no data, so a damaged one need not stop the start.
    if (setAsideIfDamaged(path, Date.now()) !== undefined) return lockFile(folder);
    throw nameFile(cause, path);
  }
}

/** Source: unix(7), "Abstract sockets": such a name is not a file, and becomes free when its owner exits. */
function takeName(folder: string): Server | undefined {
  if (process.platform !== 'linux') return undefined;
  const { dev, ino } = statSync(folder);
  const server = bind(`logloom-${dev}-${ino}`);
  if (server !== undefined) return server;
  // If no name at all can be taken, the kernel or a sandbox forbids it.
  const other = bind(`logloom-${randomUUID()}`);
  if (other === undefined) return undefined;
  other.close();
  throw inUse(folder);
}

/** A pipe's name is bound before listen() returns; undefined when that failed. */
function bind(name: string): Server | undefined {
  const server = createServer((socket) => socket.destroy());
  server.on('error', () => {});
  server.listen(`\0${name}`);
  server.unref();
  return server.listening ? server : undefined;
}

function inUse(folder: string, cause?: unknown): EventLogError {
  return new EventLogError('data-in-use', `another process uses the data folder ${folder}`, { cause });
}

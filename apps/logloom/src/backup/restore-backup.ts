import { lockDataFolder, SqliteEventLog } from '@logloom/event-log';
import { storageTrouble } from '@logloom/sqlite';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BackupError } from './errors.ts';
import { hashFile } from './hash-file.ts';
import { readManifest, restoreMarker, syncPath, type BackupManifest } from './manifest.ts';
import { Pace } from './pace.ts';

export interface RestoreOptions {
  /** The backup. */
  folder: string;
  /** New, or empty unless `force`. */
  dataFolder: string;
  /** Moves what is in the data folder aside. */
  force: boolean;
  /** The version of Logloom. */
  version: string;
}

export interface RestoreResult {
  manifest: BackupManifest;
  /** Where what was in the data folder is now; absent where it was empty. */
  movedTo?: string;
}

/** Of the folders that hold what was there before. */
const asidePrefix = 'before-restore-';
const isLock = (name: string): boolean => name.startsWith('lock.db');

/**
 * Makes a data folder from a backup, and compares each file with its checksum on the way. New events get no id that was given out after the
 * backup was made. Throws BackupError, EventLogError `data-in-use` and the file system's errors; the data folder is as before then. A
 * process that is killed leaves a folder that Logloom does not start on.
 */
export async function restoreBackup(options: RestoreOptions, signal: AbortSignal): Promise<RestoreResult> {
  const folder = resolve(options.folder);
  const dataFolder = resolve(options.dataFolder);
  const manifest = readManifest(folder, options.version);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  using owned = new DisposableStack();
  owned.use(lockDataFolder(dataFolder));
  const isInterrupted = existsSync(join(dataFolder, restoreMarker));
  const present = readdirSync(dataFolder).filter(
    (name) => !isLock(name) && name !== restoreMarker && !name.startsWith(asidePrefix),
  );
  if ((present.length > 0 || isInterrupted) && !options.force)
    throw new BackupError(
      'data-not-empty',
      `${dataFolder} is not empty (${present.slice(0, 3).join(', ')}): name another folder with --to, or move what is there aside with --force`,
    );
  checkRoom(dataFolder, manifest);
  writeFileSync(join(dataFolder, restoreMarker), `${folder}\n`, { mode: 0o600 });
  syncPath(dataFolder);
  const aside = present.length > 0 ? join(dataFolder, `${asidePrefix}${Date.now()}`) : undefined;
  if (aside !== undefined) mkdirSync(aside, { mode: 0o700 });
  const move = (names: readonly string[], from: string, to: string): void => {
    for (const name of names) renameSync(join(from, name), join(to, name));
  };
  const created = [...new Set(manifest.files.map(({ path }) => path.split('/')[0]!))];
  try {
    if (aside !== undefined) move(present, dataFolder, aside);
    for (const file of manifest.files) await restoreFile(file, folder, dataFolder, signal);
    await SqliteEventLog.skipRestored(join(dataFolder, 'log'));
    for (const path of new Set(manifest.files.map((file) => dirname(file.path))))
      syncPath(join(dataFolder, path));
  } catch (error) {
    for (const name of created) rmSync(join(dataFolder, name), { recursive: true, force: true });
    if (aside !== undefined) {
      move(readdirSync(aside), aside, dataFolder);
      rmSync(aside, { recursive: true });
    }
    // What an interrupted restore had left is not complete now either.
    if (!isInterrupted) rmSync(join(dataFolder, restoreMarker));
    throw explained(error, dataFolder);
  }
  rmSync(join(dataFolder, restoreMarker));
  syncPath(dataFolder);
  return { manifest, ...(aside === undefined ? {} : { movedTo: aside }) };
}

async function restoreFile(
  { path, bytes, sha256 }: BackupManifest['files'][number],
  folder: string,
  dataFolder: string,
  signal: AbortSignal,
): Promise<void> {
  const from = join(folder, path);
  const to = join(dataFolder, path);
  if (!existsSync(from)) throw new BackupError('backup-incomplete', `${from} is missing`);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const file = openSync(to, 'wx', 0o600);
  try {
    const found = await hashFile(from, { pace: new Pace(Infinity), signal, copyTo: file });
    if (found.bytes !== bytes || found.sha256 !== sha256)
      throw new BackupError('backup-damaged', `${from} is damaged: it is not what the backup held`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chmodSync(to, 0o600);
}

function checkRoom(dataFolder: string, { files }: BackupManifest): void {
  const { bavail, bsize } = statfsSync(dataFolder);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bavail * bsize >= bytes) return;
  throw new BackupError(
    'backup-no-room',
    `${dataFolder}: the backup takes ${Math.ceil(bytes / 2 ** 20)} MiB, and there are ${Math.floor((bavail * bsize) / 2 ** 20)} MiB`,
  );
}

function explained(error: unknown, dataFolder: string): unknown {
  if (storageTrouble(error) !== 'disk-full' || error instanceof BackupError) return error;
  const { message } = error as Error;
  return new BackupError('backup-no-room', `${dataFolder}: the disk is full (${message})`, { cause: error });
}

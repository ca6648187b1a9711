import { SqliteEventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { isDamaged, resultCode, storageTrouble } from '@logloom/sqlite';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { catalogPath, dataFiles, type DataFiles } from './data-files.ts';
import { DatabaseSnapshot } from './database-snapshot.ts';
import { FileSnapshot } from './file-snapshot.ts';
import { BackupError } from './errors.ts';
import { hashFile } from './hash-file.ts';
import { backupFormat, syncPath, whyNotUsable, writeManifest, type BackupManifest } from './manifest.ts';
import { Pace } from './pace.ts';

export interface BackupOptions {
  dataFolder: string;
  /** New or empty. */
  folder: string;
  /** Bytes per second that are copied. */
  rate: number;
  /** The version of Logloom. */
  version: string;
  /** Told how many of all bytes are copied. */
  onProgress?: (done: number, all: number) => void;
  /** Waited for after each snapshot: however long it takes, the cut is a consistent one. */
  onSnapshot?: (path: string) => Promise<void>;
}

/** Room that is left on the disk beyond what the backup takes: Logloom may be writing to the same one. */
const reserve = 16 * 2 ** 20;
const planAttempts = 5;
/** SQLITE_CANTOPEN. */
const cannotOpen = 14;

/**
 * Copies the data folder of the embedded stores, whether or not a process works on it. The snapshots of all databases are taken within
 * milliseconds, in the order of dataFiles(); then they and the files that the stores' catalog names are copied one by one. Throws BackupError, and SQLite's and the file system's
 * errors; what was written is removed then. A process that is killed leaves a folder without a manifest.
 */
export async function createBackup(options: BackupOptions, signal: AbortSignal): Promise<BackupManifest> {
  const { dataFolder, rate, version } = options;
  const folder = resolve(options.folder);
  const unusable = whyNotUsable(dataFolder);
  if (unusable !== undefined) throw new BackupError('backup-no-data', unusable);
  if (!existsSync(join(dataFolder, 'log')))
    throw new BackupError('backup-no-data', `LOGLOOM_DATA=${dataFolder}: there is no log`);
  const isNew = prepareFolder(folder, dataFolder);
  const pace = new Pace(rate);
  try {
    const startedAt = new Date().toISOString();
    using snapshots = await takeSnapshots(options);
    const { databases, others } = snapshots;
    const all = [...databases.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    checkRoom(folder, all);
    for (const [path, bytes] of others) {
      mkdirSync(join(folder, dirname(path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, path), bytes, { mode: 0o600 });
      syncPath(join(folder, path));
    }
    let done = 0;
    for (const [path, snapshot] of databases) {
      const to = join(folder, path);
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      // SQLite would make it with the modes of its own choice.
      closeSync(openSync(to, 'wx', 0o600));
      await snapshot.copyTo(to, pace, signal);
      // The write-ahead file of the source can be emptied from now on.
      snapshot[Symbol.dispose]();
      options.onProgress?.((done += snapshot.bytes), all);
    }
    const log = await logPosition(folder);
    const files: BackupManifest['files'] = [];
    for (const path of [...others.keys(), ...databases.keys()])
      files.push({ path, ...(await hashFile(join(folder, path), { pace, signal })) });
    for (const path of new Set(files.map((file) => dirname(file.path)))) syncPath(join(folder, path));
    const completedAt = new Date().toISOString();
    const manifest = { format: backupFormat, version, startedAt, completedAt, log, files };
    writeManifest(folder, manifest);
    if (isNew) syncPath(dirname(folder));
    return manifest;
  } catch (error) {
    removeContent(folder, isNew);
    throw explained(error, folder);
  }
}

/** Makes the folder; returns whether it is new. */
function prepareFolder(folder: string, dataFolder: string): boolean {
  const isNew = !existsSync(folder);
  if (isNew) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = relative(realpathSync(dataFolder), realpathSync(folder));
  const isInside = path === '' || !(path === '..' || path.startsWith('../'));
  if (isInside || readdirSync(folder).length > 0) {
    if (isNew) rmSync(folder, { recursive: true });
    throw new BackupError(
      'backup-folder',
      isInside
        ? `${folder} is inside the data folder ${dataFolder}: a backup there is lost with it`
        : `${folder} is not empty: a backup needs a folder of its own`,
    );
  }
  return isNew;
}

interface Snapshots extends Disposable {
  databases: Map<string, DatabaseSnapshot | FileSnapshot>;
  /** What the small files hold. */
  others: Map<string, Buffer>;
}

/** Retention may remove files of the stores meanwhile: then it is done again. */
async function takeSnapshots({ dataFolder, onSnapshot }: BackupOptions): Promise<Snapshots> {
  for (let attempt = 1; ; attempt++) {
    using taken = new DisposableStack();
    try {
      const files: DataFiles = dataFiles(dataFolder);
      const others = new Map(files.others.map((path) => [path, readFileSync(join(dataFolder, path))]));
      const databases = new Map<string, DatabaseSnapshot | FileSnapshot>();
      for (const path of files.databases) {
        const snapshot = taken.use(new DatabaseSnapshot(join(dataFolder, path)));
        databases.set(path, snapshot);
        if (path === catalogPath)
          // Merging and retention may remove them at any time from now on.
          for (const file of snapshot.values('SELECT file FROM slices') as string[])
            databases.set(
              join(dirname(path), file),
              taken.use(new FileSnapshot(join(dataFolder, dirname(path), file))),
            );
        await onSnapshot?.(path);
      }
      const kept = taken.move();
      return { databases, others, [Symbol.dispose]: () => kept.dispose() };
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT' || resultCode(error) === cannotOpen;
      if (!isGone || attempt === planAttempts) throw error;
    }
  }
}

function checkRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const room = bavail * bsize;
  if (room >= bytes + reserve) return;
  throw new BackupError(
    'backup-no-room',
    `${folder}: the backup needs ${mebibytes(bytes + reserve)} MiB, and there are ${mebibytes(room)} MiB`,
  );
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}

/** What the log in the backup holds. */
async function logPosition(folder: string): Promise<BackupManifest['log']> {
  const log = new SqliteEventLog(join(folder, 'log'));
  try {
    const found: BackupManifest['log']['topics'] = {};
    for (const topic of Object.values(topics))
      if (existsSync(join(folder, `log/${topic}.db`)))
        found[topic] = { epoch: await log.epochOf(topic), ends: await log.endOffsets(topic) };
    return { epoch: log.epoch, topics: found };
  } finally {
    await log.close();
  }
}

function removeContent(folder: string, isNew: boolean): void {
  try {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
    if (isNew) rmSync(folder, { recursive: true });
  } catch {
    // Without its manifest it is known as incomplete.
  }
}

/** The error with what it means for the backup. */
function explained(error: unknown, folder: string): unknown {
  if (error instanceof BackupError) return error;
  const { message } = error as Error;
  if (storageTrouble(error) === 'disk-full')
    return new BackupError('backup-no-room', `${folder}: the disk is full (${message})`, { cause: error });
  if (isDamaged(error))
    return new BackupError('backup-no-data', `a file of the data folder is damaged: ${message}`, {
      cause: error,
    });
  return error;
}

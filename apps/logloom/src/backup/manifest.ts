import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackupError } from './errors.ts';

/** The number of the layout that this version writes, and the newest one that it restores. */
export const backupFormat = 1;
export const manifestFile = 'backup.json';
/** Is in a data folder while a backup is restored into it. */
export const restoreMarker = 'restore.incomplete';

export interface BackupFile {
  /** Relative to the backup. */
  path: string;
  bytes: number;
  sha256: string;
}

/** What a complete backup says about itself: written last, so that a backup without it is not complete. */
export interface BackupManifest {
  format: number;
  /** The version of Logloom that made it. */
  version: string;
  /** RFC 3339. Every event that was acknowledged before `startedAt` is in the backup. */
  startedAt: string;
  completedAt: string;
  /** The log's epoch, and per topic its epoch and the end offset of each partition. */
  log: { epoch: string; topics: Record<string, { epoch: string; ends: number[] }> };
  files: BackupFile[];
}

/** Puts the manifest into a backup, atomically and durably. */
export function writeManifest(folder: string, manifest: BackupManifest): void {
  const pending = join(folder, `${manifestFile}.new`);
  writeFileSync(pending, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  syncPath(pending);
  renameSync(pending, join(folder, manifestFile));
  syncPath(folder);
}

/** Throws BackupError `backup-incomplete`; `backup-too-new` where this `version` cannot restore it. */
export function readManifest(folder: string, version: string): BackupManifest {
  const path = join(folder, manifestFile);
  if (!existsSync(path))
    throw new BackupError(
      'backup-incomplete',
      `${folder} is not a complete backup: it has no ${manifestFile}, which is written last`,
    );
  let manifest: Partial<BackupManifest>;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<BackupManifest>;
  } catch (cause) {
    throw new BackupError('backup-incomplete', `${path} cannot be read`, { cause });
  }
  if (
    typeof manifest.format !== 'number' ||
    typeof manifest.version !== 'string' ||
    !Array.isArray(manifest.files)
  )
    throw new BackupError('backup-incomplete', `${path} is not a backup's manifest`);
  if (manifest.format > backupFormat || isNewer(manifest.version, version))
    throw new BackupError(
      'backup-too-new',
      `${folder} was made by Logloom ${manifest.version}, this is ${version}: restore it with that version or a newer one`,
    );
  for (const { path: name } of manifest.files)
    if (name.startsWith('/') || name.split('/').includes('..'))
      throw new BackupError('backup-incomplete', `${path} names a file outside the backup`);
  return manifest as BackupManifest;
}

/** Whether this folder is a backup, or a data folder that is not yet restored. */
export function whyNotUsable(dataFolder: string): string | undefined {
  if (existsSync(join(dataFolder, restoreMarker)))
    return `LOGLOOM_DATA=${dataFolder}: a backup was being restored into it and is not complete; run logloom restore --force again`;
  if (existsSync(join(dataFolder, manifestFile)))
    return `LOGLOOM_DATA=${dataFolder} is a backup; restore it into another folder with logloom restore`;
  return undefined;
}

/** Whether the first of two versions is above the second by its numbers. */
function isNewer(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.+-]/).slice(0, 3).map(Number)) as [
    number[],
    number[],
  ];
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return (a[i] ?? 0) > (b[i] ?? 0);
  return false;
}

/** Waits until a file, or a folder's entries, are on the disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

import { setAsideIfDamaged, type DamagedFile } from '@logloom/sqlite';
import { join } from 'node:path';

/** The file of the embedded queue's jobs. */
export function jobsPath(folder: string): string {
  return join(folder, 'jobs.db');
}

/** The file of the records beside them. */
export function recordsPath(folder: string): string {
  return join(folder, 'records.db');
}

/**
 * Moves files of the embedded queue that cannot be read out of the way, so that empty ones take their place; returns which. Called once,
 * before they are opened.
 */
export function setAsideDamagedJobFiles(folder: string): DamagedFile[] {
  return [jobsPath(folder), recordsPath(folder)].flatMap((file) => {
    const movedTo = setAsideIfDamaged(file, Date.now());
    return movedTo === undefined ? [] : [{ file, movedTo, error: new Error('it cannot be read') }];
  });
}

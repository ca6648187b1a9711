import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** The first file of a store; a rebuild creates the next. */
const firstFile = 'search.db';
const pointerFile = 'search.current';
const fileName = /^search(?:-(\d+))?\.db$/;

/** The name of the file that serves queries in the folder. */
export function currentFile(folder: string): string {
  try {
    return readFileSync(join(folder, pointerFile), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return firstFile;
    throw error;
  }
}

/** The name for the file of the next generation. */
export function nextFile(folder: string): string {
  return `search-${Number(fileName.exec(currentFile(folder))?.[1] ?? 0) + 1}.db`;
}

/**
 * Makes the file, which is no longer written, the one that serves, atomically and durably: after a crash either this one or the previous
 * one serves.
 */
export function makeCurrent(folder: string, file: string): void {
  sync(join(folder, file));
  const pending = join(folder, `${pointerFile}.new`);
  writeFileSync(pending, file);
  sync(pending);
  renameSync(pending, join(folder, pointerFile));
  sync(folder);
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes files that finished and broken rebuilds left. Readers that still have such a file open keep it until they close it. */
export function removeOthers(folder: string): void {
  const current = currentFile(folder);
  for (const name of readdirSync(folder)) {
    const file = name.replace(/-(?:wal|shm|journal)$/, '');
    if (file !== current && fileName.test(file)) rmSync(join(folder, name), { force: true });
  }
}

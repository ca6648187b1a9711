import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Other users get no access to files that this process and its children create from now on: folders are 0700, files 0600. */
export function createFilesPrivate(): void {
  process.umask(0o077);
}

/**
 * Removes other users' access to data that an earlier release, or a copy, left readable. Only in the given subfolders of the data folder:
 * the folder itself may be shared. Returns the paths that could not be changed because they belong to another user.
 */
export function keepDataPrivate(dataFolder: string, subfolders: readonly string[]): string[] {
  const left: string[] = [];
  const visit = (path: string): void => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    try {
      if ((stat.mode & 0o077) !== 0) chmodSync(path, stat.mode & 0o700);
    } catch (error) {
      // A file that was removed meanwhile needs nothing.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') left.push(path);
    }
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  for (const subfolder of subfolders) visit(join(dataFolder, subfolder));
  return left;
}

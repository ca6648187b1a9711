import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Others get no right on what this process and those that it starts create from now on: folders are 0700, files 0600. */
export function createFilesPrivate(): void {
  process.umask(0o077);
}

/**
 * Takes the rights of others from the data that an earlier release, or a copy, left readable for them. Only from what is in the given
 * subfolders of the data folder: the folder itself may be anybody's. Returns what could not be changed, because it is another user's.
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

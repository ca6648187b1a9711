import { chmodSync, lstatSync, lutimesSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a tree holds: paths from its root, in an order that follows from the names. */
export interface Tree {
  files: string[];
  /** As dpkg counts it: each file's KiB rounded up, 1 for anything else. */
  installedKib: number;
}

/**
 * Gives everything below `folder` the same time and modes that follow from the paths alone, and so not from the umask or the day of the
 * build. `executable` and `hidden` are paths below the folder: programs, and what only the owner's group may read.
 */
export function normalizeTree(
  folder: string,
  date: Date,
  { executable, hidden }: { executable: readonly string[]; hidden: readonly string[] },
): Tree {
  const tree: Tree = { files: [], installedKib: 0 };
  for (const name of pathsBelow(folder)) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    const open = stats.isDirectory() || executable.includes(`/${name}`) ? 0o755 : 0o644;
    if (!stats.isSymbolicLink()) chmodSync(path, hidden.includes(`/${name}`) ? open & 0o750 : open);
    lutimesSync(path, date, date);
    if (stats.isFile()) tree.files.push(name);
    tree.installedKib += stats.isFile() ? Math.ceil(stats.size / 1024) : 1;
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, date, date);
  return tree;
}

/** Links are not followed: what they lead to is in the tree under its own path. */
function pathsBelow(folder: string, prefix = ''): string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(prefix, entry.name);
      return entry.isDirectory() ? [path, ...pathsBelow(folder, path)] : [path];
    });
}

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import { sliceName } from './slice.ts';
import { temporaryExtension } from './slice-writer.ts';

/** Readers may still be at a file so long after it left the catalog. */
const graceMs = 60_000;

/** Removes the files that left the catalog a while ago. */
export function removeObsolete(catalog: Catalog, folder: string, nowMs: number): void {
  const due = catalog.all<{ file: string }>('SELECT file FROM obsolete WHERE since_ms <= ?', nowMs - graceMs);
  if (due.length === 0) return;
  const stems = new Set(due.map(({ file }) => sliceName.exec(file)?.[1]));
  for (const name of readdirSync(folder)) {
    const stem = sliceName.exec(name)?.[1];
    if (stem !== undefined && stems.has(stem)) rmSync(join(folder, name), { force: true });
  }
  catalog.write(() => {
    for (const { file } of due) catalog.run('DELETE FROM obsolete WHERE file = ?', file);
  });
}

/** Whether there are slices, in the catalog or not. */
export function hasSliceFiles(folder: string): boolean {
  return readdirSync(folder).some((name) => name.endsWith('.parquet') && sliceName.test(name));
}

/** Removes what a writer that died has left: unfinished files, and slices that the catalog does not name. */
export function removeStrays(catalog: Catalog, folder: string, nowMs: number): void {
  // Within a transaction: a slice gets its name and its place in the catalog in one.
  catalog.write(() => {
    const named = new Set(
      catalog
        .all<{ file: string }>('SELECT file FROM slices UNION SELECT file FROM obsolete')
        .map(({ file }) => sliceName.exec(file)?.[1]),
    );
    for (const name of readdirSync(folder)) {
      const stem = sliceName.exec(name)?.[1];
      const isStray = stem !== undefined && !named.has(stem);
      const isUnfinished =
        name.endsWith(temporaryExtension) && nowMs - statSync(join(folder, name)).mtimeMs > graceMs;
      if (isStray || isUnfinished) rmSync(join(folder, name), { force: true });
    }
  });
}

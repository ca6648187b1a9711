import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { catalogFile } from './catalog.ts';
import { ColumnStore } from './column-store.ts';
import { faultOf } from './set-aside-slices.ts';

/** Reads all files of a store that nobody writes, and returns those that cannot be read or are not as the catalog says. */
export async function checkSlices(folder: string): Promise<{ file: string; fault: string }[]> {
  if (!existsSync(join(folder, catalogFile))) return [];
  const store = new ColumnStore(folder, { readOnly: true });
  try {
    const faults: { file: string; fault: string }[] = [];
    for (const slice of store.catalog.slices()) {
      const fault = await faultOf(store.engine, folder, slice);
      if (fault !== undefined)
        faults.push({
          file: join(folder, slice.file),
          fault: fault instanceof Error ? fault.message : 'it cannot be read',
        });
    }
    return faults;
  } finally {
    await store.close();
  }
}

import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { topics } from '@logloom/schemas';
import type { Catalog } from './catalog.ts';
import type { Engine } from './engine.ts';
import { parquetRows } from './parquet-rows.ts';
import { sliceColumns } from './schema.ts';
import type { Slice } from './slice.ts';
import { viewBit, viewNames } from './views.ts';

/**
 * Takes slices that cannot be read out of the catalog and gives their files another name, `….corrupt-<ms>`. The views' marks go back to
 * before their rows, so that the log fills them in again. Returns the files.
 */
export async function setAsideSlices({
  catalog,
  engine,
  folder,
  nowMs,
}: {
  catalog: Catalog;
  engine: Engine;
  folder: string;
  nowMs: () => number;
}): Promise<{ file: string; movedTo: string; error: unknown }[]> {
  const moved: { file: string; movedTo: string; error: unknown }[] = [];
  for (const slice of catalog.slices()) {
    const error = await faultOf(engine, folder, slice);
    if (error === undefined) continue;
    const file = join(folder, slice.file);
    const movedTo = `${file}.corrupt-${nowMs()}`;
    catalog.write(() => {
      catalog.removeSlice(slice, nowMs());
      catalog.run('DELETE FROM obsolete WHERE file = ?', slice.file);
      lowerMarks(catalog, slice);
      if (existsSync(file)) renameSync(file, movedTo);
    });
    moved.push({ file, movedTo, error });
  }
  return moved;
}

/** What is wrong with a slice's file; undefined: it can be read to its end. */
export async function faultOf(engine: Engine, folder: string, slice: Slice): Promise<unknown> {
  const path = join(folder, slice.file);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size !== slice.bytes)
    return new Error(size === undefined ? 'it is missing' : `it has ${size} bytes instead of ${slice.bytes}`);
  const columns = Object.keys(sliceColumns[slice.kind]);
  try {
    const [row] = await engine.rows(
      `SELECT count(*), ${columns.map((name) => `max("${name}")`).join(', ')} FROM ${parquetRows([path])}`,
    );
    const rows = Number(row![0]);
    return rows === slice.rows ? undefined : new Error(`it has ${rows} rows instead of ${slice.rows}`);
  } catch (error) {
    return error;
  }
}

function lowerMarks(catalog: Catalog, slice: Slice): void {
  const isEvents = slice.kind === 'events';
  for (const view of viewNames) {
    if ((slice.views & viewBit[view]) === 0) continue;
    for (const { partition, first } of slice.places)
      // Where a document is in logs.correlations is not known: it is in the partition of its events.
      catalog.run(
        'UPDATE filled SET "offset" = min("offset", ?) WHERE view = ? AND topic = ? AND partition = ?',
        isEvents ? first : 0,
        view,
        isEvents ? topics.events : topics.correlations,
        partition,
      );
  }
}

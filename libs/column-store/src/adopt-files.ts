import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import type { Engine } from './engine.ts';
import { parquetRows } from './parquet-rows.ts';
import { sliceName, type PlaceRange, type Slice, type SliceKind } from './slice.ts';
import { allViews } from './views.ts';

const numbered = /^(events|requests)-.*-(\d+)\.parquet$/;

/**
 * Enters the files of the folder into a new catalog, whose predecessor was lost: all of them belong to both views. A file whose rows are in
 * a later one, into which it was merged, is removed; an unreadable one is renamed `….corrupt-<ms>`.
 */
export async function adoptFiles(catalog: Catalog, engine: Engine, folder: string): Promise<void> {
  const files = readdirSync(folder)
    .map((file) => ({ file, match: numbered.exec(file) }))
    .flatMap(({ file, match }) =>
      match === null ? [] : [{ file, kind: match[1] as SliceKind, seq: Number(match[2]) }],
    )
    .toSorted((a, b) => b.seq - a.seq);
  const adopted: { path: string; kind: SliceKind }[] = [];
  const slices: Slice[] = [];
  for (const { file, kind, seq } of files) {
    const path = join(folder, file);
    const later = adopted.filter((other) => other.kind === kind).map((other) => other.path);
    const slice = await describe(engine, path, kind, later).catch(() => undefined);
    if (slice === undefined) {
      // Under its name it would be removed at the next start, as a file that the catalog does not know.
      renameSync(path, `${path}.corrupt-${Date.now()}`);
      continue;
    }
    if (slice.isContained) {
      const stem = sliceName.exec(file)?.[1];
      for (const name of readdirSync(folder))
        if (sliceName.exec(name)?.[1] === stem) rmSync(join(folder, name), { force: true });
      continue;
    }
    adopted.push({ path, kind });
    slices.push({ ...slice.about, seq, file });
  }
  catalog.write(() => {
    const highest = Math.max(0, ...slices.map(({ seq }) => seq));
    catalog.run("UPDATE state SET value = max(value, ?) WHERE name = 'seq'", highest);
    for (const slice of slices) catalog.addSlice(slice);
    const seq = catalog.nextSeq();
    catalog.setState('slicesSeq', seq);
    catalog.setState('eventsSealed', seq);
    catalog.setState('documentsSealed', seq);
  });
}

async function describe(
  engine: Engine,
  path: string,
  kind: SliceKind,
  later: readonly string[],
): Promise<{ about: Omit<Slice, 'seq' | 'file'>; isContained: boolean }> {
  const isEvents = kind === 'events';
  const [from, to] = isEvents ? ['timestamp', 'timestamp'] : ['first_at', 'last_at'];
  const source = parquetRows([path]);
  const [row] = await engine.rows(
    `SELECT count(*), epoch_us(min(${from})), epoch_us(max(${to})), ${isEvents ? 'count(other_id)' : '0'} FROM ${source}`,
  );
  const [rows, fromMicros, toMicros, otherIds] = row!.map(Number) as [number, number, number, number];
  const offset = isEvents ? '"offset"' : 'first_offset';
  const places = await engine.rows(
    `SELECT ${isEvents ? 'epoch' : 'NULL'} AS epoch, partition, min(${offset}), max(${offset}) FROM ${source} GROUP BY ALL`,
  );
  let isContained = false;
  if (later.length > 0) {
    const key = isEvents ? 'epoch, partition, "offset", other_id' : 'id, revision';
    const [missing] = await engine.rows(
      `SELECT count(*) FROM (SELECT ${key} FROM ${source} EXCEPT SELECT ${key} FROM ${parquetRows(later)})`,
    );
    isContained = Number(missing![0]) === 0;
  }
  return {
    isContained,
    about: {
      kind,
      views: allViews,
      rows,
      bytes: statSync(path).size,
      fromMicros,
      toMicros,
      otherIds,
      hidden: { search: 0, archive: 0 },
      places: (places as [string | null, number, bigint, bigint][]).map(
        ([epoch, partition, first, last]): PlaceRange => ({
          epoch,
          partition,
          first: Number(first),
          last: Number(last),
        }),
      ),
    },
  };
}

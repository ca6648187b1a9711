import { sqlMicros } from '@logloom/filter';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import { countBefore } from './count-before.ts';
import type { Engine } from './engine.ts';
import { parquetRows } from './parquet-rows.ts';
import { columnNames, retentionColumn, sliceColumns } from './schema.ts';
import type { Slice } from './slice.ts';
import { joinPlaces, type SliceWriter } from './slice-writer.ts';
import { isNotSuperseded, type Superseded } from './superseded.ts';
import { viewBit, viewNames } from './views.ts';

/** Slices with fewer rows than the first of these are of tier 0, and so on; those of the last tier stay as they are. */
const tierRows = [32_768, 262_144];
/** Rows that take so much although they are compressed are not merged: a group of rows is in memory at once. */
const largeRowBytes = 2048;
/** So many slices of one tier and day are merged into one. */
const mergeSlices = 8;
const maxMergedRows = 1_048_576;
const dayMicros = 86_400_000_000;

/** A day is quiet when its last slice is so many changes of the store ago: nothing more is expected for it. */
const quietChanges = 64;

/**
 * Which slices would be merged next, at the change `seq` of the store; undefined: none. First those of one day, so that retention removes
 * whole files: eight of one tier, or what is left of a quiet day. Then eight quiet days that are small.
 */
export function nextMerge(slices: readonly Slice[], seq: number): Slice[] | undefined {
  const open = slices.filter((slice) => tierOf(slice) !== undefined);
  const daysOf = (slice: Slice): string => `${slice.kind}/${slice.views}/${dayOf(slice) ?? 'several'}`;
  for (const group of Map.groupBy(open, (slice) => `${daysOf(slice)}/${tierOf(slice)}`).values())
    if (group.length >= mergeSlices) return chosenOf(group.toSorted((a, b) => a.seq - b.seq));
  const isQuiet = (slice: Slice): boolean => seq - slice.seq > quietChanges;
  const days = Map.groupBy(
    open.filter((slice) => dayOf(slice) !== undefined),
    daysOf,
  );
  const small: Slice[] = [];
  for (const group of days.values()) {
    if (!group.every(isQuiet)) continue;
    const chosen = group.length > 1 ? chosenOf(group) : [];
    if (chosen.length > 1) return chosen;
    small.push(...group);
  }
  for (const group of Map.groupBy(
    small.toSorted((a, b) => a.fromMicros - b.fromMicros),
    (slice) => `${slice.kind}/${slice.views}/${tierOf(slice)}`,
  ).values())
    if (group.length >= mergeSlices) return chosenOf(group.slice(0, mergeSlices));
  return undefined;
}

function tierOf({ rows, bytes }: Slice): number | undefined {
  if (bytes > rows * largeRowBytes) return undefined;
  const tier = tierRows.findIndex((limit) => rows < limit);
  return tier === -1 ? undefined : tier;
}

/** The only day of a slice, since 1970. */
function dayOf({ fromMicros, toMicros }: Slice): number | undefined {
  const day = Math.floor(fromMicros / dayMicros);
  return day === Math.floor(toMicros / dayMicros) ? day : undefined;
}

/** As many of the first as fit into one slice, in order of time. */
function chosenOf(slices: readonly Slice[]): Slice[] {
  let rows = 0;
  const chosen: Slice[] = [];
  for (const slice of slices) {
    if (rows + slice.rows > maxMergedRows) break;
    chosen.push(slice);
    rows += slice.rows;
  }
  return chosen.toSorted((a, b) => a.fromMicros - b.fromMicros);
}

export interface MergeDeps {
  catalog: Catalog;
  engine: Engine;
  slices: SliceWriter;
  folder: string;
  /** Runs the work while nothing else changes the store. */
  exclusive: <T>(work: () => Promise<T>) => Promise<T>;
  nowMs: () => number;
}

/**
 * Writes the rows of the slices into one file, without those that no view has any more, and then replaces them by it in one transaction.
 * Writes go on meanwhile; when one of them touches these slices, nothing changes.
 */
export async function mergeSlicesInto(
  { catalog, engine, slices, folder, exclusive, nowMs }: MergeDeps,
  inputs: readonly Slice[],
): Promise<void> {
  const { kind, views } = inputs[0]!;
  const isEvents = kind === 'events';
  const { removedBefore } = catalog.snapshot();
  const readers = viewNames.filter((view) => (views & viewBit[view]) !== 0);
  const mark = Math.min(...readers.map((view) => removedBefore[view]));
  const isKept = mark === -Infinity ? 'TRUE' : `${retentionColumn[kind]} >= ${sqlMicros(mark)}`;
  const isInput = inputs.map(({ seq }) => seq).join(', ');
  const supersededOf = (): Superseded[] =>
    catalog.all(`SELECT slice, id FROM superseded WHERE slice IN (${isInput})`);
  const superseded = isEvents ? [] : supersededOf();
  const files = inputs.map(({ file }) => join(folder, file));
  const prepared = await slices.query(
    kind,
    `SELECT ${columnNames(sliceColumns[kind])} FROM ${parquetRows(files, 'filename')}
     WHERE ${isKept} AND ${isNotSuperseded(superseded, inputs)}`,
    {
      views,
      fromMicros: Math.max(mark, Math.min(...inputs.map(({ fromMicros }) => fromMicros))),
      toMicros: Math.max(...inputs.map(({ toMicros }) => toMicros)),
      otherIds: inputs.reduce((sum, { otherIds }) => sum + otherIds, 0),
      places: joinPlaces(inputs.flatMap(({ places }) => places)),
    },
  );
  try {
    const hidden = { search: 0, archive: 0 };
    if (prepared !== undefined)
      for (const view of readers)
        if (removedBefore[view] > mark)
          hidden[view] = await countBefore(engine, kind, prepared.temporaryPath, removedBefore[view]);
    await exclusive(async () =>
      catalog.write(() => {
        const now = catalog.snapshot().removedBefore;
        const present = catalog.all(`SELECT seq FROM slices WHERE seq IN (${isInput}) AND views = ${views}`);
        const isUnchanged =
          present.length === inputs.length && viewNames.every((view) => now[view] === removedBefore[view]);
        if (!isUnchanged) throw new SlicesChanged();
        const later = isEvents ? [] : supersededOf();
        for (const input of inputs) catalog.removeSlice(input, nowMs());
        if (prepared === undefined) return;
        const slice = slices.name({ ...prepared, hidden }, catalog.nextSeq());
        catalog.addSlice(slice);
        const known = new Set(superseded.map(({ slice: of, id }) => `${of}/${id}`));
        for (const { slice: of, id } of later)
          if (!known.has(`${of}/${id}`))
            catalog.run('INSERT OR IGNORE INTO superseded VALUES (?, ?, ?)', slice.seq, id, slice.seq);
      }),
    );
  } catch (error) {
    if (prepared !== undefined) await slices.drop([prepared]);
    if (!(error instanceof SlicesChanged)) throw error;
  }
}

class SlicesChanged extends Error {}

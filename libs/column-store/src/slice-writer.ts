import { sqlLiteral } from '@logloom/filter';
import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { randomUUID } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { closeSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { columnsOfDocuments } from './document-columns.ts';
import type { Column, Engine } from './engine.ts';
import { columnsOfEvents, keyOf, typedColumns } from './event-columns.ts';
import { eventColumns, requestColumns } from './schema.ts';
import { sliceFile, type PlaceRange, type Slice, type SliceKind } from './slice.ts';

/** A slice whose file is complete and on disk, but has no name yet. */
export interface PreparedSlice extends Omit<Slice, 'seq' | 'file'> {
  temporaryPath: string;
}

/** Rows that are read together: a query that needs few rows reads so many. */
const rowGroupRows = 10_240;
export const temporaryExtension = '.writing';

/** Writes Parquet files. */
export class SliceWriter {
  readonly #engine: Engine;
  readonly #folder: string;

  constructor(engine: Engine, folder: string) {
    this.#engine = engine;
    this.#folder = folder;
  }

  /** The events must be in order of time; they are not none. */
  async events(events: readonly PlacedEvent[], views: number): Promise<PreparedSlice> {
    const written = await this.#write(columnsOfEvents(events), eventColumns);
    return {
      ...written,
      kind: 'events',
      views,
      rows: events.length,
      fromMicros: events[0]!.timestamp,
      toMicros: events.at(-1)!.timestamp,
      otherIds: events.reduce((sum, event) => sum + (keyOf(event).otherId === null ? 0 : 1), 0),
      places: placesOf(events.map((event) => ({ ...keyOf(event), place: event }))),
    };
  }

  async documents(documents: readonly Correlation[], views: number): Promise<PreparedSlice> {
    const written = await this.#write(columnsOfDocuments(documents), requestColumns);
    let fromMicros = Infinity;
    let toMicros = -Infinity;
    for (const { firstAt, lastAt } of documents) {
      fromMicros = Math.min(fromMicros, firstAt);
      toMicros = Math.max(toMicros, lastAt);
    }
    return {
      ...written,
      kind: 'requests',
      views,
      rows: documents.length,
      fromMicros,
      toMicros,
      otherIds: 0,
      places: placesOf(
        documents.map(({ partition, firstOffset }) => ({
          epoch: null,
          place: { partition, offset: firstOffset },
        })),
      ),
    };
  }

  /** A slice of the rows of a query, which has the kind's columns. Undefined: there are none. */
  async query(
    kind: SliceKind,
    sql: string,
    about: Pick<PreparedSlice, 'views' | 'fromMicros' | 'toMicros' | 'otherIds' | 'places'>,
  ): Promise<PreparedSlice | undefined> {
    const temporaryPath = this.#temporaryPath();
    try {
      const rows = await this.#engine.use((connection) => copy(connection, sql, temporaryPath));
      if (rows === 0) {
        await rm(temporaryPath, { force: true });
        return undefined;
      }
      return { ...about, ...(await this.#finish(temporaryPath)), kind, rows };
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    }
  }

  /** Gives the file its name, which the caller then enters into the catalog. */
  name(slice: PreparedSlice, seq: number): Slice {
    const { temporaryPath, ...rest } = slice;
    const file = sliceFile(slice.kind, slice.fromMicros, slice.toMicros, seq);
    renameSync(temporaryPath, join(this.#folder, file));
    const descriptor = openSync(this.#folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return { ...rest, seq, file };
  }

  async drop(slices: readonly PreparedSlice[]): Promise<void> {
    for (const { temporaryPath } of slices) await rm(temporaryPath, { force: true });
  }

  async #write(
    columns: Readonly<Record<string, { values: Column; isNumber: boolean }>>,
    types: Readonly<Record<string, string>>,
  ): Promise<{ temporaryPath: string; bytes: number; hidden: Slice['hidden'] }> {
    const temporaryPath = this.#temporaryPath();
    try {
      await this.#engine.withRows(columns, (connection, staged) =>
        copy(connection, `SELECT ${typedColumns(types)} FROM ${staged}`, temporaryPath),
      );
      return await this.#finish(temporaryPath);
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    }
  }

  async #finish(
    temporaryPath: string,
  ): Promise<{ temporaryPath: string; bytes: number; hidden: Slice['hidden'] }> {
    const file = await open(temporaryPath, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    return { temporaryPath, bytes: (await stat(temporaryPath)).size, hidden: { search: 0, archive: 0 } };
  }

  #temporaryPath(): string {
    return join(this.#folder, `${randomUUID()}${temporaryExtension}`);
  }
}

async function copy(
  connection: { run: (sql: string) => Promise<{ rowsChanged: number }> },
  sql: string,
  path: string,
): Promise<number> {
  const { rowsChanged } = await connection.run(
    `COPY (${sql}) TO ${sqlLiteral(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows})`,
  );
  return rowsChanged;
}

function placesOf(
  items: readonly { epoch: string | null; place: { partition: number; offset: number } }[],
): PlaceRange[] {
  return joinPlaces(
    items.map(({ epoch, place: { partition, offset } }) => ({
      epoch,
      partition,
      first: offset,
      last: offset,
    })),
  );
}

/** One range for each epoch and partition. */
export function joinPlaces(ranges: readonly PlaceRange[]): PlaceRange[] {
  const joined = new Map<string, PlaceRange>();
  for (const { epoch, partition, first, last } of ranges) {
    const key = `${epoch}/${partition}`;
    const known = joined.get(key);
    if (known === undefined) joined.set(key, { epoch, partition, first, last });
    else {
      known.first = Math.min(known.first, first);
      known.last = Math.max(known.last, last);
    }
  }
  return [...joined.values()];
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlMicros } from '@logloom/filter';
import { join } from 'node:path';
import type { Snapshot } from './catalog.ts';
import type { Engine } from './engine.ts';
import { parquetRows } from './parquet-rows.ts';
import { columnNames, eventColumns, eventId, requestColumns, retentionColumn } from './schema.ts';
import type { Slice, SliceKind } from './slice.ts';
import { isNotSuperseded, type Superseded } from './superseded.ts';
import { viewBit, type ViewName } from './views.ts';

/** Why a statement was ended before its result. */
export class ReadInterrupted extends Error {
  readonly reason: 'timeout' | 'cancelled';
  constructor(reason: 'timeout' | 'cancelled') {
    super(reason === 'timeout' ? 'the query ran too long' : 'the client no longer waits');
    this.reason = reason;
  }
}

export interface ReadLimits {
  /** How long the whole read may run, in ms. */
  limitMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface RelationOptions {
  fromMicros?: number | undefined;
  /** Not part of the range. */
  toMicros?: number | undefined;
  /** Which of the slices that the range touches. Default: all. */
  only?: ((slice: Slice) => boolean) | undefined;
  /** Whether the rows that are in no slice yet are part of it. Default true. */
  recent?: boolean | undefined;
  /** SQL: which rows of a slice of events, a condition on `file_row_number`. Undefined: all. */
  rows?: ((slice: Slice) => string | undefined) | undefined;
}

interface ViewParts {
  view: ViewName;
  engine: Engine;
  folder: string;
  snapshot: Snapshot;
  slices: readonly Slice[];
  superseded: readonly Superseded[];
  tables: { events: string; documents: string };
  limits: ReadLimits;
}

/** One state of the store, as one of its views. */
export class ReadView {
  readonly #parts: ViewParts;
  readonly #deadlineMs: number;
  /** The slices of events, the latest first. */
  readonly slices: readonly Slice[];
  /** The slices of documents, the latest first. */
  readonly requestSlices: readonly Slice[];

  constructor(parts: ViewParts) {
    this.#parts = parts;
    this.#deadlineMs = performance.now() + (parts.limits.limitMs ?? Infinity);
    const bit = viewBit[parts.view];
    const mark = parts.snapshot.removedBefore[parts.view];
    const visible = parts.slices.filter((slice) => (slice.views & bit) !== 0 && slice.toMicros >= mark);
    this.slices = visible.filter(({ kind }) => kind === 'events');
    this.requestSlices = visible.filter(({ kind }) => kind === 'requests');
  }

  /** The path of a file beside a slice, such as an index of it: `extension` without the dot. */
  besideSlice({ file }: Slice, extension: string): string {
    return join(this.#parts.folder, file.replace(/\.parquet$/, `.${extension}`));
  }

  /** SQL: a relation with `eventColumns` and `id`. Its rows can lie beyond the range: that only leaves out slices. */
  events(options: RelationOptions = {}): string {
    const { view, snapshot, tables } = this.#parts;
    const columns = columnNames(eventColumns);
    const bit = viewBit[view];
    const parts: string[] = [];
    const kept = this.#keptFrom('events');
    if (options.recent !== false)
      parts.push(
        `SELECT ${columns} FROM ${tables.events} WHERE seq <= ${snapshot.seq} AND views & ${bit} <> 0${kept}`,
      );
    const whole: Slice[] = [];
    for (const slice of touched(this.slices, options)) {
      const rows = options.rows?.(slice);
      if (rows === undefined) whole.push(slice);
      else
        parts.push(
          `SELECT ${columns} FROM ${this.#files([slice], 'file_row_number')} WHERE (${rows})${kept}`,
        );
    }
    if (whole.length > 0) parts.push(`SELECT ${columns} FROM ${this.#files(whole)} WHERE TRUE${kept}`);
    if (parts.length === 0) parts.push(`SELECT ${columns} FROM ${tables.events} WHERE FALSE`);
    return `(SELECT *, ${eventId} AS id FROM (${parts.join(' UNION ALL ')}))`;
  }

  /** SQL: a relation with `requestColumns`, each document once. The range is of `first_at`; as events(). */
  requests(options: RelationOptions = {}): string {
    const { view, snapshot, tables, superseded } = this.#parts;
    const columns = columnNames(requestColumns);
    const bit = viewBit[view];
    const parts: string[] = [];
    const kept = this.#keptFrom('requests');
    if (options.recent !== false)
      parts.push(
        `SELECT ${columns} FROM ${tables.documents} WHERE seq <= ${snapshot.seq} AND views & ${bit} <> 0
         AND (replaced_by IS NULL OR replaced_by > ${snapshot.seq})${kept}`,
      );
    const files = touched(this.requestSlices, options);
    if (files.length > 0) {
      const isCurrent = isNotSuperseded(superseded, files);
      parts.push(`SELECT ${columns} FROM ${this.#files(files, 'filename')} WHERE ${isCurrent}${kept}`);
    }
    if (parts.length === 0) parts.push(`SELECT ${columns} FROM ${tables.documents} WHERE FALSE`);
    return `(${parts.join(' UNION ALL ')})`;
  }

  /** All rows of a statement; DuckDB's 64-bit integers are bigint. `limitMs` bounds it alone. Errors: ReadInterrupted. */
  async rows(sql: string, { limitMs = Infinity }: { limitMs?: number } = {}): Promise<unknown[][]> {
    return this.#parts.engine.use((connection) =>
      this.#bounded(connection, limitMs, async () => (await connection.runAndReadAll(sql)).getRowsJS()),
    );
  }

  /** The rows in steps; memory does not grow with their number. Errors: ReadInterrupted. */
  async *stream(sql: string): AsyncGenerator<unknown[][], void, void> {
    const connection = await this.#parts.engine.borrow();
    try {
      const result = await this.#bounded(connection, Infinity, () => connection.stream(sql));
      const steps = result.yieldRowsJs();
      for (;;) {
        const step = await this.#bounded(connection, Infinity, () => steps.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      this.#parts.engine.discard(connection);
    }
  }

  #keptFrom(kind: SliceKind): string {
    const mark = this.#parts.snapshot.removedBefore[this.#parts.view];
    return mark === -Infinity ? '' : ` AND ${retentionColumn[kind]} >= ${sqlMicros(mark)}`;
  }

  #files(slices: readonly Slice[], added?: 'filename' | 'file_row_number'): string {
    return parquetRows(
      slices.map(({ file }) => join(this.#parts.folder, file)),
      added,
    );
  }

  /** Ends the work at the limits. */
  async #bounded<T>(connection: DuckDBConnection, limitMs: number, work: () => Promise<T>): Promise<T> {
    const { signal } = this.#parts.limits;
    let reason: 'timeout' | 'cancelled' | undefined;
    const stop = (why: 'timeout' | 'cancelled'): void => {
      reason ??= why;
      connection.interrupt();
    };
    const leftMs = Math.min(limitMs, this.#deadlineMs - performance.now());
    if (signal?.aborted === true) throw new ReadInterrupted('cancelled');
    if (leftMs <= 0) throw new ReadInterrupted('timeout');
    const cancel = (): void => stop('cancelled');
    signal?.addEventListener('abort', cancel, { once: true });
    const timer = leftMs === Infinity ? undefined : setTimeout(stop, leftMs, 'timeout');
    try {
      return await work();
    } catch (error) {
      throw reason === undefined ? error : new ReadInterrupted(reason);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }
}

function touched(
  slices: readonly Slice[],
  { fromMicros = -Infinity, toMicros = Infinity, only = () => true }: RelationOptions,
): Slice[] {
  return slices.filter((slice) => slice.toMicros >= fromMicros && slice.fromMicros < toMicros && only(slice));
}

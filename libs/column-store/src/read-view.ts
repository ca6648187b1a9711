import type { DuckDBConnection } from '@duckdb/node-api';
import { join } from 'node:path';
import type { Snapshot } from './catalog.ts';
import type { Engine } from './engine.ts';
import { eventColumns, eventId, requestColumns } from './schema.ts';
import type { Slice } from './slice.ts';
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
  superseded: readonly { slice: number; id: string }[];
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
    const columns = quoted(eventColumns);
    const bit = viewBit[view];
    const parts: string[] = [];
    const kept = this.#keptFrom('timestamp');
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
          `SELECT ${columns} FROM read_parquet(${text(join(this.#parts.folder, slice.file))}, file_row_number = true) WHERE (${rows})${kept}`,
        );
    }
    if (whole.length > 0) parts.push(`SELECT ${columns} FROM ${this.#files(whole)} WHERE TRUE${kept}`);
    if (parts.length === 0) parts.push(`SELECT ${columns} FROM ${tables.events} WHERE FALSE`);
    return `(SELECT *, ${eventId} AS id FROM (${parts.join(' UNION ALL ')}))`;
  }

  /** SQL: a relation with `requestColumns`, each document once. The range is of `first_at`; as events(). */
  requests(options: RelationOptions = {}): string {
    const { view, snapshot, tables, superseded } = this.#parts;
    const columns = quoted(requestColumns);
    const bit = viewBit[view];
    const parts: string[] = [];
    const kept = this.#keptFrom('last_at');
    if (options.recent !== false)
      parts.push(
        `SELECT ${columns} FROM ${tables.documents} WHERE seq <= ${snapshot.seq} AND views & ${bit} <> 0
         AND (replaced_by IS NULL OR replaced_by > ${snapshot.seq})${kept}`,
      );
    const files = touched(this.requestSlices, options);
    if (files.length > 0) {
      const hidden = superseded.filter(({ slice }) => files.some(({ seq }) => seq === slice));
      const fileOf = new Map(files.map(({ seq, file }) => [seq, file]));
      const isHidden =
        hidden.length === 0
          ? ''
          : ` AND (id, parse_filename(filename)) NOT IN (${hidden
              .map(({ slice, id }) => `(${text(id)}, ${text(fileOf.get(slice)!)})`)
              .join(', ')})`;
      parts.push(`SELECT ${columns} FROM ${this.#files(files)} WHERE TRUE${kept}${isHidden}`);
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

  #keptFrom(column: string): string {
    const mark = this.#parts.snapshot.removedBefore[this.#parts.view];
    return mark === -Infinity ? '' : ` AND ${column} >= make_timestamp(${mark}::BIGINT)`;
  }

  #files(slices: readonly Slice[]): string {
    const paths = slices.map(({ file }) => text(join(this.#parts.folder, file)));
    return `read_parquet([${paths.join(', ')}], filename = true, hive_partitioning = false)`;
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

function quoted(columns: Readonly<Record<string, string>>): string {
  return Object.keys(columns)
    .map((name) => `"${name}"`)
    .join(', ');
}

/** An SQL literal. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SkippedOffsets } from '../skipped-offsets.ts';
import { batchFormats, type BatchFormat } from './batch-format.ts';
import { checksum, isSound, type RecordBatch } from './record-batch.ts';

/** Where a batch is, without its records; the append time is that of its first record. */
export type Position = [offset: number, count: number, timestampMs: number];
type Row = [
  ...Position,
  records: Uint8Array,
  crc: number | null,
  format: BatchFormat | null,
  size: number | null,
];

/** What identifies a row and its content, without its records. */
export interface RowOutline {
  offset: number;
  count: number;
  timestampMs: number;
  /** Bytes of the records, unpacked. */
  size: number;
  crc: number | null;
}

/** A batch as the file has it, which may be damaged. */
export interface StoredBatch extends RecordBatch {
  crc: number | null;
}

const position = '"offset", count, timestamp';
const columns = `${position}, records, crc, format, size`;
const pageRows = 100;

/** The batches of one partition: a table of its own, keyed by the offset of the first record. */
export class PartitionTable {
  /** Offsets before it were assigned, although their records may be lost. */
  floor: number;
  /** The offsets that were skipped when the log was restored, ascending. */
  readonly skips: readonly SkippedOffsets[];
  readonly #explain: (error: unknown) => unknown;
  readonly #insert: StatementSync;
  readonly #from: StatementSync;
  readonly #after: StatementSync;
  readonly #at: StatementSync;
  readonly #first: StatementSync;
  readonly #last: StatementSync;
  readonly #row: StatementSync;
  readonly #outlines: StatementSync;
  readonly #deleteBetween: StatementSync;

  /** `explain` turns an error of SQLite into that of the log. */
  constructor(db: DatabaseSync, partition: number, explain: (error: unknown) => unknown) {
    const table = `p${partition}`;
    const prepare = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#explain = explain;
    this.floor = readFloor(db, partition);
    this.skips = readSkips(db, partition);
    this.#insert = prepare(`INSERT INTO ${table} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#from = prepare(
      `SELECT ${columns} FROM ${table} WHERE "offset" >= IFNULL((SELECT MAX("offset") FROM ${table} WHERE "offset" <= ?), 0) ORDER BY "offset"`,
    );
    this.#after = prepare(
      `SELECT ${columns} FROM ${table} WHERE "offset" > ? ORDER BY "offset" LIMIT ${pageRows}`,
    );
    this.#at = prepare(`SELECT ${position} FROM ${table} WHERE "offset" <= ? ORDER BY "offset" DESC LIMIT 1`);
    this.#first = prepare(`SELECT ${position} FROM ${table} ORDER BY "offset" LIMIT 1`);
    this.#last = prepare(`SELECT ${position} FROM ${table} ORDER BY "offset" DESC LIMIT 1`);
    this.#row = prepare(`SELECT ${columns} FROM ${table} WHERE "offset" <= ? ORDER BY "offset" DESC LIMIT 1`);
    this.#outlines = prepare(
      `SELECT ${position}, IFNULL(size, length(records)), crc FROM ${table} WHERE "offset" >= ? ORDER BY "offset" LIMIT ?`,
    );
    this.#deleteBetween = prepare(`DELETE FROM ${table} WHERE "offset" BETWEEN ? AND ?`);
  }

  insert(batch: RecordBatch): void {
    const { offset, count, timestampMs, records, format, size } = batch;
    const isPlain = format === batchFormats.plain;
    this.#insert.run(
      offset,
      count,
      timestampMs,
      records,
      checksum(batch),
      isPlain ? null : format,
      isPlain ? null : size,
    );
  }

  /** Puts one batch in the place of the rows whose offsets are from `first` to `last`. In a transaction of the caller. */
  replace(first: number, last: number, batch: RecordBatch): void {
    this.#deleteBetween.run(first, last);
    this.insert(batch);
  }

  /** The next offset, and the last timestamp. */
  get end(): { offset: number; timestampMs: number } {
    const row = this.last;
    if (row === undefined) return { offset: this.floor, timestampMs: 0 };
    return { offset: Math.max(row[0] + row[1], this.floor), timestampMs: row[2] };
  }

  get first(): Position | undefined {
    return this.#position(this.#first);
  }

  get last(): Position | undefined {
    return this.#position(this.#last);
  }

  /** The batch that begins at the offset, or the last one that begins before it. */
  at(offset: number): Position | undefined {
    return this.#position(this.#at, offset);
  }

  /** The whole of the batch that at() returns. */
  row(offset: number): StoredBatch | undefined {
    try {
      const row = this.#row.get(offset) as unknown as Row | undefined;
      return row && asBatch(row);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** At most `limit` rows from an offset on. */
  outlines(from: number, limit: number): RowOutline[] {
    try {
      const rows = this.#outlines.all(from, limit) as unknown as [...Position, number, number | null][];
      return rows.map(([offset, count, timestampMs, size, crc]) => ({
        offset,
        count,
        timestampMs,
        size,
        crc,
      }));
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** The batches from the one that at() returns on. The iterator throws what SQLite throws. */
  *from(offset: number): Generator<StoredBatch> {
    for (const row of this.#from.iterate(offset) as unknown as Iterable<Row>) yield asBatch(row);
  }

  /** The next batches that begin after the offset: a page, which keeps no statement open. Empty at the end. */
  after(offset: number): StoredBatch[] {
    try {
      return (this.#after.all(offset) as unknown as Row[]).map(asBatch);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #position(statement: StatementSync, ...values: number[]): Position | undefined {
    try {
      return statement.get(...values) as unknown as Position | undefined;
    } catch (error) {
      throw this.#explain(error);
    }
  }
}

/** Whether the batch is as it was written. */
export function isIntact(batch: StoredBatch): boolean {
  return isSound(batch, batch.crc);
}

export function readFloor(db: DatabaseSync, partition: number): number {
  const row = db.prepare('SELECT "offset" FROM floors WHERE partition = ?').get(partition) as
    { offset: number } | undefined;
  return row?.offset ?? 0;
}

function readSkips(db: DatabaseSync, partition: number): SkippedOffsets[] {
  const rows = db
    .prepare('SELECT "from", "to" FROM skips WHERE partition = ? ORDER BY "from"')
    .all(partition) as { from: number; to: number }[];
  return rows.map(({ from, to }) => ({ partition, from, to }));
}

function asBatch([offset, count, timestampMs, records, crc, format, size]: Row): StoredBatch {
  return {
    offset,
    count,
    timestampMs,
    records,
    crc,
    format: format ?? batchFormats.plain,
    size: size ?? records.length,
  };
}

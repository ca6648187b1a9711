import { openDatabase } from '@logloom/sqlite';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EventLogError, maxReadBytes, type LogRecord, type NewRecord } from '../event-log.ts';
import { AcknowledgedEnds } from './acknowledged-ends.ts';
import { asEventLogError } from './error.ts';
import { checksum, fromBatch, isSound, toBatches, type RecordBatch } from './record-batch.ts';
import { restoredOffsets, type SkippedOffsets } from '../skipped-offsets.ts';

interface Partition {
  /** Offsets before it were assigned, although their records may be lost. */
  floor: number;
  /** Ascending. */
  skips: readonly SkippedOffsets[];
  insert: StatementSync;
  from: StatementSync;
  at: StatementSync;
  first: StatementSync;
  last: StatementSync;
}

type Position = [offset: number, count: number, timestamp: number];
type Row = [...Position, records: Uint8Array, crc: number | null];

/**
 * One topic in a SQLite file of its own, so that writers of different topics never wait for each other. One table a partition, one
 * row a batch of records: appending is an insert at the right edge of a B-tree, reading a range scan.
 */
export class SqliteTopic {
  readonly name: string;
  readonly path: string;
  readonly partitionCount: number;
  readonly #db: DatabaseSync;
  readonly #partitions: Partition[];
  readonly #dataVersion: StatementSync;
  /** Cached positions, valid until another connection writes, so that polling hundreds of idle partitions costs one read of the file. */
  #known = { version: -1, starts: new Map<number, number>(), ends: new Map<number, number>() };
  readonly #epoch: StatementSync;
  readonly #endsPath: string;
  readonly #acknowledged: AcknowledgedEnds;

  constructor(folder: string, name: string, partitions: number) {
    this.name = name;
    this.path = topicPath(folder, name);
    this.partitionCount = partitions;
    this.#endsPath = join(folder, `${name}.ends`);
    this.#acknowledged = new AcknowledgedEnds(this.#endsPath, partitions);
    let db: DatabaseSync | undefined;
    try {
      // Large pages suit rows of many records.
      this.#db = db = openDatabase(this.path, { pageSize: 16384 });
      this.#createTables();
      this.#dataVersion = this.#db.prepare('PRAGMA data_version');
      this.#dataVersion.setReturnArrays(true);
      this.#partitions = Array.from({ length: partitions }, (_, p) => this.#open(p));
      this.#epoch = this.#db.prepare('SELECT epoch FROM topic');
    } catch (error) {
      db?.close();
      throw this.#asLogError(error);
    }
  }

  /** The epoch in the file: another instance may have recreated the topic. Throws EventLogError `unknown-topic` once it is deleted. */
  get epoch(): string | undefined {
    try {
      return (this.#epoch.get() as { epoch: string } | undefined)?.epoch;
    } catch (error) {
      throw this.#asLogError(error);
    }
  }

  set epoch(epoch: string) {
    this.#db.prepare('DELETE FROM topic').run();
    this.#db.prepare('INSERT INTO topic VALUES (?)').run(epoch);
  }

  /** Appends in one transaction: all of it or nothing. Returns the offsets. */
  append(records: readonly NewRecord[], nowMs: number): number[] {
    const perPartition = Map.groupBy(records, (record) => record.partition);
    const next = new Map<number, number>();
    const ends = new Map<number, number>();
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      this.#acknowledged.claim(this.epoch ?? '');
      for (const [p, part] of perPartition) {
        const partition = this.#partition(p);
        const end = this.#end(partition);
        // Offsets of the copy that the log was restored from may have been given out there.
        const first = Math.max(end.offset, partition.skips.at(-1)?.to ?? 0);
        next.set(p, first);
        ends.set(p, first + part.length);
        const isSetBack = end.timestamp - nowMs > toleranceMs;
        if (isSetBack) this.#db.prepare('INSERT OR IGNORE INTO eras VALUES (?, ?)').run(p, first);
        const timestamp = isSetBack ? nowMs : Math.max(nowMs, end.timestamp);
        for (const batch of toBatches(part, first, timestamp)) {
          partition.insert.run(batch.offset, batch.count, batch.timestamp, batch.records, checksum(batch));
        }
      }
      this.#db.exec('COMMIT');
      this.#acknowledged.note(ends);
      for (const p of perPartition.keys()) this.#known.ends.delete(p);
    } catch (error) {
      // SQLite ends the transaction itself on a full disk; a ROLLBACK would then hide the cause.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw this.#asLogError(error);
    }
    return records.map(({ partition }) => {
      const offset = next.get(partition)!;
      next.set(partition, offset + 1);
      return offset;
    });
  }

  /** Skips damaged or lost batches at the start, and ends before one: damagedAt() returns where they are. */
  read(partition: number, fromOffset: number, maxRecords: number): LogRecord[] {
    const { from } = this.#partition(partition);
    const place = { topic: this.name, partition };
    const records: LogRecord[] = [];
    let bytes = 0;
    try {
      if (fromOffset >= this.endOffset(partition)) return records;
      for (const row of from.iterate(fromOffset) as unknown as Iterable<Row>) {
        const batch = asBatch(row);
        if (records.length > 0 && row[0] !== records.at(-1)!.offset + 1) break;
        if (!isSound(batch, row[4])) {
          if (records.length > 0) break;
          continue;
        }
        records.push(...fromBatch(batch, place, fromOffset, maxRecords - records.length));
        bytes += batch.records.length;
        if (records.length >= maxRecords || bytes >= maxReadBytes) break;
      }
    } catch (error) {
      throw this.#asLogError(error);
    }
    return records;
  }

  /**
   * The records from `offset` on that are damaged or lost: up to the next intact batch, or to the end. Undefined if the record at `offset`
   * is intact, was trimmed, or does not exist yet.
   */
  damagedAt(partition: number, offset: number): { from: number; to: number } | undefined {
    const found = this.#damagedAt(partition, offset);
    const skip = this.skips(partition).find(({ from }) => from > offset && from < (found?.to ?? 0));
    return found === undefined || skip === undefined ? found : { from: offset, to: skip.from };
  }

  #damagedAt(partition: number, offset: number): { from: number; to: number } | undefined {
    const { from, at } = this.#partition(partition);
    try {
      // Trimming removes records at the start only and never the last one: if there are none, all were lost.
      if (this.#position(at, offset) === undefined) {
        const isEmpty = this.#position(at, Number.MAX_SAFE_INTEGER) === undefined;
        return isEmpty && offset < this.endOffset(partition)
          ? { from: offset, to: this.endOffset(partition) }
          : undefined;
      }
      for (const row of from.iterate(offset) as unknown as Iterable<Row>) {
        if (row[0] + row[1] <= offset || !isSound(asBatch(row), row[4])) continue;
        return row[0] <= offset ? undefined : { from: offset, to: row[0] };
      }
      const end = this.endOffset(partition);
      return offset < end ? { from: offset, to: end } : undefined;
    } catch (error) {
      throw this.#asLogError(error);
    }
  }

  /** Every damaged batch of a partition, read one by one; offsets that no batch covers between two are lost ones. */
  *damage(partition: number): Generator<{ from: number; to: number } | undefined> {
    let next: number | undefined;
    const all = this.#db.prepare(
      `SELECT ${columns} FROM p${partition} WHERE "offset" > ? ORDER BY "offset" LIMIT 100`,
    );
    all.setReturnArrays(true);
    for (let last = -1; ;) {
      let rows: Row[];
      try {
        rows = all.all(last) as unknown as Row[];
      } catch (error) {
        throw this.#asLogError(error);
      }
      if (rows.length === 0) break;
      for (const row of rows) {
        const [offset, count] = row;
        const skip = this.skips(partition).find(({ from, to }) => from >= (next ?? offset) && to <= offset);
        if (next !== undefined && next < (skip?.from ?? offset))
          yield { from: next, to: skip?.from ?? offset };
        if (skip !== undefined && skip.to < offset) yield { from: skip.to, to: offset };
        next = offset + count;
        last = offset;
        if (!isSound(asBatch(row), row[4])) yield { from: offset, to: next };
      }
      // The caller may yield to other work here.
      yield undefined;
    }
    const end = this.endOffset(partition);
    if (next !== undefined && next < end) yield { from: next, to: end };
  }

  /** Per partition, the end that was acknowledged as durable; 0 if unknown. */
  get acknowledgedEnds(): number[] {
    return AcknowledgedEnds.read(this.#endsPath, this.epoch ?? '', this.partitionCount);
  }

  /** Cleans up after writers that have exited. For a process that has the topic to itself. */
  mergeAcknowledgedEnds(): void {
    AcknowledgedEnds.merge(this.#endsPath, this.epoch ?? '', this.partitionCount);
  }

  /** From now on no record gets an offset below this one. Call it before other instances open the topic. */
  raiseFloor(partition: number, offset: number): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO floors VALUES (?, ?)')
      .run(partition, Math.max(offset, this.endOffset(partition)));
    this.#partition(partition).floor = this.#floor(partition);
    this.#known.version = -1;
  }

  /** The offsets of a partition that were skipped when the log was restored, ascending. */
  skips(partition: number): readonly SkippedOffsets[] {
    return this.#partition(partition).skips;
  }

  /**
   * From now on no offset is given to a record that the log which this is an older copy of may have given out. Before other instances
   * open the topic.
   */
  skipRestored(): void {
    this.#inTransaction(() => {
      for (const [partition, { skips }] of this.#partitions.entries()) {
        const from = this.endOffset(partition);
        const to = Math.max(from, skips.at(-1)?.to ?? 0) + restoredOffsets;
        this.#db.prepare('INSERT OR REPLACE INTO skips VALUES (?, ?, ?)').run(partition, from, to);
      }
    });
  }

  /** Moves the write-ahead log into the file. */
  checkpoint(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** What `get` returns for each partition. */
  perPartition<T>(get: (partition: number) => T): T[] {
    return this.#partitions.map((_, partition) => get(partition));
  }

  startOffset(partition: number): number {
    const { first, floor } = this.#partition(partition);
    return this.#lookUp('starts', partition, () => {
      const row = this.#position(first);
      return row === undefined ? floor : row[0];
    });
  }

  endOffset(partition: number): number {
    const of = this.#partition(partition);
    return this.#lookUp('ends', partition, () => this.#end(of).offset);
  }

  /**
   * The first record after the last one that is older than a time. Timestamps decrease only where the clock was set back; between two such
   * records they ascend, so bisection on the primary key finds it. An index on the time would cost every append, for a rare query.
   */
  offsetByTime(partition: number, timestampMs: number): number {
    const { at } = this.#partition(partition);
    const start = this.startOffset(partition);
    const eras = this.#db
      .prepare('SELECT "offset" FROM eras WHERE partition = ? AND "offset" > ? ORDER BY "offset" DESC')
      .all(partition, start) as { offset: number }[];
    let high = this.endOffset(partition);
    for (const { offset } of eras) {
      const first = this.#position(at, offset);
      if (first !== undefined && first[2] < timestampMs) return this.#bisect(at, offset, high, timestampMs);
      high = offset;
    }
    return this.#bisect(at, start, high, timestampMs);
  }

  #bisect(at: StatementSync, from: number, to: number, timestampMs: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      // Offsets may have a hole; the record before it is used.
      const middle = Math.floor((low + high) / 2);
      const [offset, count, timestamp] = this.#position(at, middle)!;
      if (timestamp < timestampMs) low = Math.max(offset + count, middle + 1);
      else high = offset;
    }
    return low;
  }

  trim(beforeMs: number): void {
    for (let p = 0; p < this.partitionCount; p++) {
      // Positions are read before the records are deleted.
      this.#trimPartition(p, beforeMs);
      this.#known.version = -1;
    }
  }

  #trimPartition(p: number, beforeMs: number): void {
    const last = this.#partition(p).last.get() as unknown as Position | undefined;
    if (last === undefined) return;
    const [offset, count, timestamp] = last;
    this.#db
      .prepare(`DELETE FROM p${p} WHERE "offset" < MIN(?, ?)`)
      .run(offset, this.offsetByTime(p, beforeMs));
    if (timestamp >= beforeMs || count === 1) return;
    // The last record stays: it holds the end offset and the clock.
    const [record] = this.read(p, offset + count - 1, 1);
    // A damaged batch stays as it is.
    if (record === undefined) return;
    const [batch] = toBatches([record], record.offset, timestamp);
    this.#db
      .prepare(`UPDATE p${p} SET "offset" = ?, count = 1, records = ?, crc = ? WHERE "offset" = ?`)
      .run(batch!.offset, batch!.records, checksum(batch!), offset);
  }

  /**
   * Removes the records. The file stays, empty: another thread that has it open would keep appending to an unlinked file, and its
   * acknowledged records would be lost; this way it gets an error, and finds the topic again once it is recreated.
   */
  drop(): void {
    for (let p = 0; p < this.partitionCount; p++) this.#db.exec(`DROP TABLE IF EXISTS p${p}`);
    for (const table of ['topic', 'floors', 'eras', 'skips']) this.#db.exec(`DROP TABLE IF EXISTS ${table}`);
    this.#db.exec('VACUUM');
    this.#known.version = -1;
  }

  /** Bytes of the file that hold nothing: what was trimmed. */
  get reusableBytes(): number {
    const value = (name: string): number =>
      Number(Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
    return value('freelist_count') * value('page_size');
  }

  close(): void {
    this.#acknowledged.close();
    this.#db.close();
  }

  /** The next offset, and the last timestamp. */
  #end(partition: Partition): { offset: number; timestamp: number } {
    const row = this.#position(partition.last);
    if (row === undefined) return { offset: partition.floor, timestamp: 0 };
    return { offset: Math.max(row[0] + row[1], partition.floor), timestamp: row[2] };
  }

  #floor(partition: number): number {
    const row = this.#db.prepare('SELECT "offset" FROM floors WHERE partition = ?').get(partition) as
      { offset: number } | undefined;
    return row?.offset ?? 0;
  }

  #skips(partition: number): SkippedOffsets[] {
    const rows = this.#db
      .prepare('SELECT "from", "to" FROM skips WHERE partition = ? ORDER BY "from"')
      .all(partition) as { from: number; to: number }[];
    return rows.map(({ from, to }) => ({ partition, from, to }));
  }

  #position(statement: StatementSync, ...values: number[]): Position | undefined {
    try {
      return statement.get(...values) as unknown as Position | undefined;
    } catch (error) {
      throw this.#asLogError(error);
    }
  }

  #asLogError(error: unknown): unknown {
    return asEventLogError(error, this.name, this.path);
  }

  #lookUp(what: 'starts' | 'ends', partition: number, read: () => number): number {
    const [version] = this.#dataVersion.get() as unknown as [number];
    if (version !== this.#known.version) this.#known = { version, starts: new Map(), ends: new Map() };
    const known = this.#known[what].get(partition);
    if (known !== undefined) return known;
    const value = read();
    this.#known[what].set(partition, value);
    return value;
  }

  #partition(partition: number): Partition {
    const found = this.#partitions[partition];
    if (found === undefined)
      throw new EventLogError('unknown-partition', `${this.name} has no partition ${partition}`);
    return found;
  }

  /** In one transaction: single statements would each wait for the disk, and make threads that do the same wait for each other. */
  #createTables(): void {
    const { made } = this.#db
      .prepare(
        "SELECT count(*) AS made FROM sqlite_master WHERE name IN ('topic', 'floors', 'eras', 'skips') OR sql LIKE '% crc INTEGER%'",
      )
      .get() as { made: number };
    if (made >= this.partitionCount + 4) return;
    this.#inTransaction(() => {
      this.#db.exec(`CREATE TABLE IF NOT EXISTS topic (epoch TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS floors (partition INTEGER PRIMARY KEY, "offset" INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS eras (partition INTEGER, "offset" INTEGER, PRIMARY KEY (partition, "offset")) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS skips (partition INTEGER, "from" INTEGER, "to" INTEGER NOT NULL, PRIMARY KEY (partition, "from")) WITHOUT ROWID`);
      for (let p = 0; p < this.partitionCount; p++)
        this.#db.exec(
          `CREATE TABLE IF NOT EXISTS p${p} ("offset" INTEGER PRIMARY KEY, count INTEGER NOT NULL, timestamp INTEGER NOT NULL,
             records BLOB NOT NULL, crc INTEGER)`,
        );
      // A file of an earlier release: its batches have no checksums.
      const without = this.#db
        .prepare("SELECT name FROM sqlite_master WHERE name GLOB 'p[0-9]*' AND sql NOT LIKE '% crc INTEGER%'")
        .all() as { name: string }[];
      for (const { name } of without) this.#db.exec(`ALTER TABLE ${name} ADD COLUMN crc INTEGER`);
    });
  }

  #inTransaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #open(partition: number): Partition {
    const table = `p${partition}`;
    const prepare = (sql: string): StatementSync => {
      const statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    return {
      floor: this.#floor(partition),
      skips: this.#skips(partition),
      insert: prepare(`INSERT INTO ${table} (${columns}) VALUES (?, ?, ?, ?, ?)`),
      from: prepare(
        `SELECT ${columns} FROM ${table} WHERE "offset" >= IFNULL((SELECT MAX("offset") FROM ${table} WHERE "offset" <= ?), 0) ORDER BY "offset"`,
      ),
      at: prepare(`SELECT ${position} FROM ${table} WHERE "offset" <= ? ORDER BY "offset" DESC LIMIT 1`),
      first: prepare(`SELECT ${position} FROM ${table} ORDER BY "offset" LIMIT 1`),
      last: prepare(`SELECT ${position} FROM ${table} ORDER BY "offset" DESC LIMIT 1`),
    };
  }
}

/** If the clock is set back by less than this (ms), append times stay constant until the clock has caught up. */
const toleranceMs = 1000;

const position = '"offset", count, timestamp';
const columns = `${position}, records, crc`;

function asBatch([offset, count, timestamp, records]: Row): RecordBatch {
  return { offset, count, timestamp, records };
}

/** The file that holds a topic. */
export function topicPath(folder: string, topic: string): string {
  return join(folder, `${topic}.db`);
}

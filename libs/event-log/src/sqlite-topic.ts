import { openDatabase } from '@logloom/sqlite';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EventLogError, type LogRecord, type NewRecord } from './event-log.ts';
import { fromBatch, toBatches, type RecordBatch } from './record-batch.ts';
import { asEventLogError } from './sqlite-error.ts';

interface Partition {
  insert: StatementSync;
  from: StatementSync;
  at: StatementSync;
  first: StatementSync;
  last: StatementSync;
}

type Position = [offset: number, count: number, timestamp: number];
type Row = [...Position, records: Uint8Array];

/**
 * One topic in a SQLite file of its own, so that writers of different topics never wait for each other. One table a partition, one
 * row a batch of records: appending is an insert at the right edge of a B-tree, reading a range scan.
 */
export class SqliteTopic {
  readonly name: string;
  readonly partitionCount: number;
  readonly #db: DatabaseSync;
  readonly #partitions: Partition[];
  readonly #dataVersion: StatementSync;
  /** What was read since another connection last wrote, so that looking at hundreds of idle partitions costs one look at the file. */
  #known = { version: -1, starts: new Map<number, number>(), ends: new Map<number, number>() };
  readonly #epoch: StatementSync;

  constructor(folder: string, name: string, partitions: number) {
    this.name = name;
    this.partitionCount = partitions;
    // Large pages suit rows of many records.
    this.#db = openDatabase(topicPath(folder, name), { pageSize: 16384 });
    this.#createTables();
    this.#dataVersion = this.#db.prepare('PRAGMA data_version');
    this.#dataVersion.setReturnArrays(true);
    this.#partitions = Array.from({ length: partitions }, (_, p) => this.#open(p));
    this.#epoch = this.#db.prepare('SELECT epoch FROM topic');
  }

  /** What the file says now: another instance may have made the topic anew. Throws EventLogError `unknown-topic` once it is deleted. */
  get epoch(): string | undefined {
    try {
      return (this.#epoch.get() as { epoch: string } | undefined)?.epoch;
    } catch (error) {
      throw asEventLogError(error, this.name);
    }
  }

  set epoch(epoch: string) {
    this.#db.prepare('DELETE FROM topic').run();
    this.#db.prepare('INSERT INTO topic VALUES (?)').run(epoch);
  }

  /** Appends in one transaction: all of it or nothing. Gives the offsets. */
  append(records: readonly NewRecord[], nowMs: number): number[] {
    const perPartition = Map.groupBy(records, (record) => record.partition);
    const next = new Map<number, number>();
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const [p, part] of perPartition) {
        const partition = this.#partition(p);
        const end = this.#end(partition);
        next.set(p, end.offset);
        // The machine's clock may be set back; the log's does not fall.
        for (const batch of toBatches(part, end.offset, Math.max(nowMs, end.timestamp))) {
          partition.insert.run(batch.offset, batch.count, batch.timestamp, batch.records);
        }
      }
      this.#db.exec('COMMIT');
      for (const p of perPartition.keys()) this.#known.ends.delete(p);
    } catch (error) {
      // A full disk ends the transaction by itself; a ROLLBACK would then hide the cause.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw asEventLogError(error, this.name);
    }
    return records.map(({ partition }) => {
      const offset = next.get(partition)!;
      next.set(partition, offset + 1);
      return offset;
    });
  }

  read(partition: number, fromOffset: number, maxRecords: number): LogRecord[] {
    const { from } = this.#partition(partition);
    const place = { topic: this.name, partition };
    const records: LogRecord[] = [];
    try {
      if (fromOffset >= this.endOffset(partition)) return records;
      for (const row of from.iterate(fromOffset) as unknown as Iterable<Row>) {
        records.push(...fromBatch(asBatch(row), place, fromOffset, maxRecords - records.length));
        if (records.length >= maxRecords) break;
      }
    } catch (error) {
      throw asEventLogError(error, this.name);
    }
    return records;
  }

  /** What `get` returns for each partition. */
  perPartition<T>(get: (partition: number) => T): T[] {
    return this.#partitions.map((_, partition) => get(partition));
  }

  startOffset(partition: number): number {
    const { first } = this.#partition(partition);
    return this.#lookUp('starts', partition, () => {
      const row = first.get() as unknown as Position | undefined;
      return row === undefined ? 0 : row[0];
    });
  }

  endOffset(partition: number): number {
    const of = this.#partition(partition);
    return this.#lookUp('ends', partition, () => this.#end(of).offset);
  }

  /**
   * Timestamps never fall along the offsets, so the first record at or after a time is found by bisection on the primary key: an
   * index on the time would cost every append, for a query that is rare.
   */
  offsetByTime(partition: number, timestampMs: number): number {
    const { at } = this.#partition(partition);
    let low = this.startOffset(partition);
    let high = this.endOffset(partition);
    while (low < high) {
      const [offset, count, timestamp] = at.get(Math.floor((low + high) / 2)) as unknown as Position;
      if (timestamp < timestampMs) low = offset + count;
      else high = offset;
    }
    return low;
  }

  trim(beforeMs: number): void {
    for (let p = 0; p < this.partitionCount; p++) {
      // What is known of it was read before its records go.
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
    const [batch] = toBatches([record!], record!.offset, timestamp);
    this.#db
      .prepare(`UPDATE p${p} SET "offset" = ?, count = 1, records = ? WHERE "offset" = ?`)
      .run(batch!.offset, batch!.records, offset);
  }

  /**
   * Removes the records. The file stays, empty: another thread that has it open would go on appending to an unlinked file, and
   * its acknowledged records would be gone; this way it gets an error, and the topic again once it is made anew.
   */
  drop(): void {
    for (let p = 0; p < this.partitionCount; p++) this.#db.exec(`DROP TABLE IF EXISTS p${p}`);
    this.#db.exec('DROP TABLE IF EXISTS topic');
    this.#db.exec('VACUUM');
    this.#known.version = -1;
  }

  close(): void {
    this.#db.close();
  }

  /** The next offset, and the last timestamp. */
  #end(partition: Partition): { offset: number; timestamp: number } {
    const row = partition.last.get() as unknown as Position | undefined;
    return row === undefined ? { offset: 0, timestamp: 0 } : { offset: row[0] + row[1], timestamp: row[2] };
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

  /** All at once: each statement of its own would wait for the disk, and let the threads that do the same wait for each other. */
  #createTables(): void {
    const { tables } = this.#db
      .prepare("SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table'")
      .get() as { tables: number };
    if (tables > this.partitionCount) return;
    this.#db.exec('BEGIN IMMEDIATE');
    this.#db.exec('CREATE TABLE IF NOT EXISTS topic (epoch TEXT NOT NULL)');
    for (let p = 0; p < this.partitionCount; p++)
      this.#db.exec(
        `CREATE TABLE IF NOT EXISTS p${p} ("offset" INTEGER PRIMARY KEY, count INTEGER NOT NULL, timestamp INTEGER NOT NULL, records BLOB NOT NULL)`,
      );
    this.#db.exec('COMMIT');
  }

  #open(partition: number): Partition {
    const table = `p${partition}`;
    const prepare = (sql: string): StatementSync => {
      const statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    return {
      insert: prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?)`),
      from: prepare(
        `SELECT * FROM ${table} WHERE "offset" >= IFNULL((SELECT MAX("offset") FROM ${table} WHERE "offset" <= ?), 0) ORDER BY "offset"`,
      ),
      at: prepare(`SELECT ${position} FROM ${table} WHERE "offset" <= ? ORDER BY "offset" DESC LIMIT 1`),
      first: prepare(`SELECT ${position} FROM ${table} ORDER BY "offset" LIMIT 1`),
      last: prepare(`SELECT ${position} FROM ${table} ORDER BY "offset" DESC LIMIT 1`),
    };
  }
}

const position = '"offset", count, timestamp';

function asBatch([offset, count, timestamp, records]: Row): RecordBatch {
  return { offset, count, timestamp, records };
}

/** The file that holds a topic. */
export function topicPath(folder: string, topic: string): string {
  return join(folder, `${topic}.db`);
}

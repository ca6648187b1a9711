import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EventLogError, type LogRecord, type NewRecord } from './event-log.ts';
import { asEventLogError } from './sqlite-error.ts';

interface Partition {
  insert: StatementSync;
  select: StatementSync;
  first: StatementSync;
  last: StatementSync;
  byTime: StatementSync;
}

type Row = [offset: number, timestamp: number, key: string | null, value: Uint8Array, headers: string | null];

/**
 * One topic in a SQLite file of its own, so that writers of different topics never wait for each other. One table a partition, one
 * row a record: appending is an insert at the right edge of a B-tree, reading a range scan.
 */
export class SqliteTopic {
  readonly name: string;
  readonly partitionCount: number;
  readonly #db: DatabaseSync;
  readonly #partitions: Partition[] = [];

  constructor(folder: string, name: string, partitions: number) {
    this.name = name;
    this.partitionCount = partitions;
    mkdirSync(folder, { recursive: true });
    this.#db = new DatabaseSync(topicPath(folder, name), { timeout: 10_000 });
    // FULL: a commit returns when it is on the disk, not merely handed to the system.
    this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;');
    for (let p = 0; p < partitions; p++) this.#partitions.push(this.#open(p));
  }

  /** Appends in one transaction: all of it or nothing. Gives the offsets. */
  append(records: readonly NewRecord[], nowMs: number): number[] {
    const offsets: number[] = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const next = new Map<number, { offset: number; timestamp: number }>();
      for (const record of records) {
        const partition = this.#partition(record.partition);
        let position = next.get(record.partition);
        if (position === undefined) next.set(record.partition, (position = this.#position(partition, nowMs)));
        const headers = record.headers === undefined ? null : JSON.stringify(record.headers);
        partition.insert.run(position.offset, position.timestamp, record.key, record.value, headers);
        offsets.push(position.offset++);
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      // A full disk ends the transaction by itself; a ROLLBACK would then hide the cause.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw asEventLogError(error, this.name);
    }
    return offsets;
  }

  read(partition: number, fromOffset: number, maxRecords: number): LogRecord[] {
    const { select } = this.#partition(partition);
    let rows: Row[];
    try {
      rows = select.all(fromOffset, maxRecords) as unknown as Row[];
    } catch (error) {
      throw asEventLogError(error, this.name);
    }
    return rows.map(([offset, timestamp, key, value, headers]) => ({
      topic: this.name,
      partition,
      offset,
      timestamp,
      key,
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
      headers: headers === null ? noHeaders : (JSON.parse(headers) as Record<string, string>),
    }));
  }

  startOffset(partition: number): number {
    const row = this.#partition(partition).first.get() as unknown as [number] | undefined;
    return row === undefined ? this.endOffset(partition) : row[0];
  }

  endOffset(partition: number): number {
    return this.#position(this.#partition(partition), 0).offset;
  }

  offsetByTime(partition: number, timestampMs: number): number {
    const row = this.#partition(partition).byTime.get(timestampMs) as unknown as [number] | undefined;
    return row === undefined ? this.endOffset(partition) : row[0];
  }

  trim(beforeMs: number): void {
    for (let p = 0; p < this.partitionCount; p++) {
      // The last record stays: it holds the end offset and the clock.
      this.#db
        .prepare(`DELETE FROM p${p} WHERE "offset" < MIN((SELECT MAX("offset") FROM p${p}), ?)`)
        .run(this.offsetByTime(p, beforeMs));
    }
  }

  /**
   * Removes the records. The file stays, empty: another thread that has it open would go on appending to an unlinked file, and
   * its acknowledged records would be gone; this way it gets an error, and the topic again once it is made anew.
   */
  drop(): void {
    for (let p = 0; p < this.partitionCount; p++) this.#db.exec(`DROP TABLE IF EXISTS p${p}`);
    this.#db.exec('VACUUM');
  }

  close(): void {
    this.#db.close();
  }

  /** The next offset, and a timestamp that does not fall below the last one's when the machine's clock was set back. */
  #position(partition: Partition, nowMs: number): { offset: number; timestamp: number } {
    const row = partition.last.get() as unknown as [number, number] | undefined;
    return row === undefined
      ? { offset: 0, timestamp: nowMs }
      : { offset: row[0] + 1, timestamp: Math.max(nowMs, row[1]) };
  }

  #partition(partition: number): Partition {
    const found = this.#partitions[partition];
    if (found === undefined)
      throw new EventLogError('unknown-partition', `${this.name} has no partition ${partition}`);
    return found;
  }

  #open(partition: number): Partition {
    const table = `p${partition}`;
    this.#db.exec(
      `CREATE TABLE IF NOT EXISTS ${table} ("offset" INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, key TEXT, value BLOB NOT NULL, headers TEXT)`,
    );
    const prepare = (sql: string): StatementSync => {
      const statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    return {
      insert: prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?)`),
      select: prepare(`SELECT * FROM ${table} WHERE "offset" >= ? ORDER BY "offset" LIMIT ?`),
      first: prepare(`SELECT "offset" FROM ${table} ORDER BY "offset" LIMIT 1`),
      last: prepare(`SELECT "offset", timestamp FROM ${table} ORDER BY "offset" DESC LIMIT 1`),
      byTime: prepare(bisectByTime(table)),
    };
  }
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/** The file that holds a topic. */
export function topicPath(folder: string, topic: string): string {
  return join(folder, `${topic}.db`);
}

/**
 * Timestamps never fall along the offsets, so the first record at or after a time is found by bisection on the primary key: an
 * index on the time would cost every append, for a query that is rare. Offsets may have a hole at the start (trimmed), never inside.
 */
function bisectByTime(table: string): string {
  return `
    WITH RECURSIVE target(t) AS (VALUES (?)),
    bisect(low, high) AS (
      SELECT MIN("offset"), MAX("offset") + 1 FROM ${table}
      UNION ALL
      SELECT
        CASE WHEN m.timestamp < target.t THEN m."offset" + 1 ELSE low END,
        CASE WHEN m.timestamp < target.t THEN high ELSE m."offset" END
      FROM bisect, target JOIN ${table} m ON m."offset" = (low + high) / 2
      WHERE low < high
    )
    SELECT low FROM bisect WHERE low = high AND low IS NOT NULL`;
}

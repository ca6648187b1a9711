import { openDatabase, pragma, storageTrouble } from '@logloom/sqlite';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EventLogError, maxReadBytes, type LogRecord, type NewRecord } from '../event-log.ts';
import { restoredOffsets, type SkippedOffsets } from '../skipped-offsets.ts';
import { AcknowledgedEnds } from './acknowledged-ends.ts';
import { allDamage, damageAt, type Damage } from './damage.ts';
import { asEventLogError } from './error.ts';
import { offsetByTime } from './offset-by-time.ts';
import { isIntact, PartitionTable, readFloor, type StoredBatch } from './partition-table.ts';
import { cutBatch } from './join-batches.ts';
import { fromBatch, toBatches, unpackBatch, type UnpackedBatch } from './record-batch.ts';
import { rewriteIfMostlyFree } from './return-room.ts';
import { createTables, dropTables, inTransaction } from './topic-tables.ts';

/** The write-ahead file is moved into the topic's file when it has this size. */
export const checkpointBytes = 16 * 2 ** 20;

/** If the clock is set back by less than this (ms), append times stay constant until the clock has caught up. */
const toleranceMs = 1000;

/**
 * One topic in a SQLite file of its own, so that writers of different topics never wait for each other. One table a partition, one
 * row a batch of records: appending is an insert at the right edge of a B-tree, reading a range scan.
 */
export class SqliteTopic {
  readonly name: string;
  readonly path: string;
  readonly partitionCount: number;
  readonly #db: DatabaseSync;
  readonly #partitions: PartitionTable[];
  readonly #dataVersion: StatementSync;
  /** Cached positions, valid until another connection writes, so that polling hundreds of idle partitions costs one read of the file. */
  #known = { version: -1, starts: new Map<number, number>(), ends: new Map<number, number>() };
  readonly #epoch: StatementSync;
  readonly #endsPath: string;
  readonly #acknowledged: AcknowledgedEnds;
  /** By partition, the batch that the last read() left in the middle: the next one goes on there. */
  readonly #begun = new Map<number, { batch: StoredBatch; unpacked: UnpackedBatch }>();

  constructor(folder: string, name: string, partitions: number) {
    this.name = name;
    this.path = topicPath(folder, name);
    this.partitionCount = partitions;
    this.#endsPath = join(folder, `${name}.ends`);
    this.#acknowledged = new AcknowledgedEnds(this.#endsPath, partitions);
    let db: DatabaseSync | undefined;
    try {
      // Large pages: an append writes one of them, and a row of many records is in few.
      this.#db = db = openDatabase(this.path, { pageSize: 16384, vacuum: 'incremental', checkpointBytes });
      createTables(db, partitions);
      this.#dataVersion = this.#db.prepare('PRAGMA data_version');
      this.#dataVersion.setReturnArrays(true);
      this.#partitions = Array.from(
        { length: partitions },
        (_, p) => new PartitionTable(this.#db, p, (error) => this.#asLogError(error)),
      );
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
      inTransaction(this.#db, () => {
        this.#acknowledged.claim(this.epoch ?? '');
        for (const [p, part] of perPartition) {
          const partition = this.#partition(p);
          const { end } = partition;
          // Offsets of the copy that the log was restored from may have been given out there.
          const first = Math.max(end.offset, partition.skips.at(-1)?.to ?? 0);
          next.set(p, first);
          ends.set(p, first + part.length);
          const isSetBack = end.timestampMs - nowMs > toleranceMs;
          if (isSetBack) this.#db.prepare('INSERT OR IGNORE INTO eras VALUES (?, ?)').run(p, first);
          const appendedAtMs = isSetBack ? nowMs : Math.max(nowMs, end.timestampMs);
          for (const batch of toBatches(part, first, appendedAtMs)) partition.insert(batch);
        }
      });
      this.#acknowledged.note(ends);
      for (const p of perPartition.keys()) this.#known.ends.delete(p);
    } catch (error) {
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
    const table = this.#partition(partition);
    const place = { topic: this.name, partition };
    const records: LogRecord[] = [];
    let bytes = 0;
    try {
      if (fromOffset >= this.endOffset(partition)) return records;
      for (const batch of table.from(fromOffset)) {
        if (records.length > 0 && batch.offset !== records.at(-1)!.offset + 1) break;
        const unpacked = this.#unpack(partition, batch);
        if (unpacked === undefined) {
          if (records.length > 0) break;
          continue;
        }
        for (const record of fromBatch(unpacked, place, fromOffset, maxRecords - records.length))
          records.push(record);
        bytes += batch.size;
        if (records.length < maxRecords && bytes < maxReadBytes) continue;
        if (records.at(-1)!.offset + 1 < batch.offset + batch.count)
          this.#begun.set(partition, { batch, unpacked });
        break;
      }
    } catch (error) {
      throw this.#asLogError(error);
    }
    return records;
  }

  /** Undefined where the batch is damaged. Throws EventLogError `log-damaged` where it is not, and holds something else. */
  #unpack(partition: number, batch: StoredBatch): UnpackedBatch | undefined {
    const begun = this.#begun.get(partition);
    this.#begun.delete(partition);
    const { offset, count, crc, size } = batch;
    const known = begun?.batch;
    if (
      crc !== null &&
      known?.crc === crc &&
      known.offset === offset &&
      known.count === count &&
      known.size === size
    )
      return begun!.unpacked;
    if (!isIntact(batch)) return undefined;
    try {
      return unpackBatch(batch);
    } catch (cause) {
      throw new EventLogError(
        'log-damaged',
        `${this.path}: the batch at ${partition}/${offset} cannot be unpacked`,
        { cause },
      );
    }
  }

  /**
   * The records from `offset` on that are damaged or lost: up to the next intact batch, or to the end. Undefined if the record at `offset`
   * is intact, was trimmed, or does not exist yet.
   */
  damagedAt(partition: number, offset: number): Damage | undefined {
    try {
      return damageAt(this.#partition(partition), offset, this.endOffset(partition));
    } catch (error) {
      throw this.#asLogError(error);
    }
  }

  /** Every damaged batch of a partition, read one by one; offsets that no batch covers between two are lost ones. */
  damage(partition: number): Generator<Damage | undefined> {
    return allDamage(this.#partition(partition), () => this.endOffset(partition));
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
    this.#partition(partition).floor = readFloor(this.#db, partition);
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
    inTransaction(this.#db, () => {
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
    const table = this.#partition(partition);
    return this.#lookUp('starts', partition, () => table.first?.[0] ?? table.floor);
  }

  endOffset(partition: number): number {
    const table = this.#partition(partition);
    return this.#lookUp('ends', partition, () => table.end.offset);
  }

  /** The first record after the last one that is older than a time. */
  offsetByTime(partition: number, timestampMs: number): number {
    const table = this.#partition(partition);
    const start = this.startOffset(partition);
    const eras = this.#db
      .prepare('SELECT "offset" FROM eras WHERE partition = ? AND "offset" > ? ORDER BY "offset" DESC')
      .all(partition, start) as { offset: number }[];
    const range = { start, end: this.endOffset(partition), eras: eras.map(({ offset }) => offset) };
    return offsetByTime(table, range, timestampMs);
  }

  trim(beforeMs: number): void {
    for (let p = 0; p < this.partitionCount; p++) {
      // Positions are read before the records are deleted.
      this.#trimPartition(p, beforeMs);
      this.#known.version = -1;
    }
  }

  #trimPartition(p: number, beforeMs: number): void {
    const table = this.#partition(p);
    inTransaction(this.#db, () => {
      const { last } = table;
      if (last === undefined) return;
      const [offset, count] = last;
      // The last record stays: it holds the end offset and the clock.
      const keepFrom = Math.min(offset + count - 1, this.offsetByTime(p, beforeMs));
      const first = table.row(keepFrom);
      if (first === undefined) return;
      this.#db.prepare(`DELETE FROM p${p} WHERE "offset" < ?`).run(first.offset);
      // A damaged batch stays as it is.
      if (first.offset < keepFrom && keepFrom < first.offset + first.count && isIntact(first))
        table.replace(first.offset, first.offset, cutBatch(first, keepFrom));
    });
  }

  /**
   * Removes the records. The file stays, empty: another thread that has it open would keep appending to an unlinked file, and its
   * acknowledged records would be lost; this way it gets an error, and finds the topic again once it is recreated.
   */
  drop(): void {
    dropTables(this.#db, this.partitionCount);
    this.#known.version = -1;
  }

  /** Bytes of the file that hold nothing: what was trimmed. */
  get reusableBytes(): number {
    return pragma(this.#db, 'freelist_count') * pragma(this.#db, 'page_size');
  }

  /** For a process that has the topic to itself: returns room of a file that an earlier release made, if that is quick. */
  rewriteIfMostlyFree(): void {
    try {
      rewriteIfMostlyFree(this.#db);
    } catch (error) {
      // It needs room itself.
      if (storageTrouble(error) === undefined) throw this.#asLogError(error);
    }
  }

  close(): void {
    this.#acknowledged.close();
    this.#db.close();
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

  #partition(partition: number): PartitionTable {
    const found = this.#partitions[partition];
    if (found === undefined)
      throw new EventLogError('unknown-partition', `${this.name} has no partition ${partition}`);
    return found;
  }
}

/** The file that holds a topic. */
export function topicPath(folder: string, topic: string): string {
  return join(folder, `${topic}.db`);
}

import { openDatabase, storageTrouble, withFileNamed } from '@logloom/sqlite';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EventLogError, maxMetadataBytes, type Commit, type TopicSpec } from '../event-log.ts';
import { asEventLogError } from './error.ts';

const leaseMs = 10_000;

/**
 * The log's small state in one SQLite file: its epoch, the topics, the consumer groups' commits, and which member of a group is working. A
 * group has one working member at a time; others wait for its lease to end.
 */
export class SqliteConsumerGroups {
  readonly epoch: string;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #commit: StatementSync;
  readonly #committed: StatementSync;

  constructor(folder: string) {
    this.#path = join(folder, 'groups.db');
    this.#db = openDatabase(this.#path);
    withFileNamed(this.#path, () => this.#createTables(folder));
    this.epoch = (this.#db.prepare('SELECT epoch FROM log').get() as { epoch: string }).epoch;
    this.#commit = this.#db.prepare(
      `INSERT OR REPLACE INTO commits SELECT ?, ?, ?, ?, ?
       WHERE EXISTS (SELECT 1 FROM leases WHERE "group" = ? AND member = ?)
         AND EXISTS (SELECT 1 FROM topics WHERE name = ? AND epoch = ?)`,
    );
    this.#committed = this.#db.prepare(
      'SELECT "offset", metadata FROM commits WHERE "group" = ? AND topic = ? AND partition = ?',
    );
  }

  #createTables(folder: string): void {
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS log (epoch TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, partitions INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS commits ("group" TEXT, topic TEXT, partition INTEGER, "offset" INTEGER NOT NULL, metadata TEXT NOT NULL,
        PRIMARY KEY ("group", topic, partition)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS leases ("group" TEXT PRIMARY KEY, member TEXT NOT NULL, expiresAt INTEGER NOT NULL) WITHOUT ROWID;`);
    this.#addEpochs();
    // Threads open the file at the same time: the first one's epoch stays.
    const isKnown = this.#db.prepare('SELECT 1 FROM log').get() !== undefined;
    this.#db
      .prepare('INSERT INTO log SELECT ? WHERE NOT EXISTS (SELECT 1 FROM log)')
      .run(isKnown ? '' : (epochOfFiles(folder) ?? newEpoch()));
  }

  createTopic({ name, partitions }: TopicSpec): void {
    this.#db
      .prepare(
        `INSERT INTO topics (name, partitions) VALUES (?, ?) ON CONFLICT (name) DO UPDATE
         SET partitions = excluded.partitions WHERE topics.partitions = 0`,
      )
      .run(name, partitions);
    const existing = this.partitions(name);
    if (existing !== partitions) {
      throw new EventLogError(
        'topic-mismatch',
        `${name} has ${existing} partitions, not ${partitions}: keys would move to other partitions`,
      );
    }
  }

  /** The topic's number of partitions, or undefined. */
  partitions(topic: string): number | undefined {
    const row = this.#db.prepare('SELECT partitions FROM topics WHERE name = ?').get(topic) as
      { partitions: number } | undefined;
    return row === undefined || row.partitions === 0 ? undefined : row.partitions;
  }

  /** The names of the topics. */
  topics(): string[] {
    const rows = this.#db.prepare('SELECT name FROM topics WHERE partitions > 0 ORDER BY name').all();
    return (rows as { name: string }[]).map(({ name }) => name);
  }

  /** The highest offset that a group has committed on a partition. */
  highestCommit(topic: string, partition: number): number {
    const row = this.#db
      .prepare('SELECT max("offset") AS "offset" FROM commits WHERE topic = ? AND partition = ?')
      .get(topic, partition) as { offset: number | null };
    return row.offset ?? 0;
  }

  /** The row stays: a topic that is created later with this name must get another epoch. */
  deleteTopic(topic: string): void {
    this.#inTransaction(() => {
      this.#db.prepare('UPDATE topics SET partitions = 0, epoch = ? WHERE name = ?').run(deleted, topic);
      this.#db.prepare('DELETE FROM commits WHERE topic = ?').run(topic);
    });
  }

  /**
   * The epoch of a topic whose file was just opened. `file` reads and writes the epoch in the file. If the two differ, the file was
   * replaced, and the commits on the old one are void.
   */
  settleEpoch(topic: string, file: { epoch: string | undefined }): string {
    return this.#inTransaction(() => {
      const row = this.#db.prepare('SELECT epoch FROM topics WHERE name = ?').get(topic) as
        { epoch: string | null } | undefined;
      const known = row?.epoch ?? undefined;
      const found = file.epoch;
      if (found !== undefined && found === known) return found;
      const epoch = found ?? (known === undefined ? this.epoch : newEpoch());
      if (known !== undefined) this.#db.prepare('DELETE FROM commits WHERE topic = ?').run(topic);
      // The file is written first: after a crash in between, its epoch counts.
      file.epoch = epoch;
      this.#db.prepare('UPDATE topics SET epoch = ? WHERE name = ?').run(epoch, topic);
      return epoch;
    });
  }

  /** The epochs of the existing topics. */
  epochs(): Map<string, string> {
    const rows = this.#db.prepare("SELECT name, epoch FROM topics WHERE partitions > 0 AND epoch > ''").all();
    return new Map((rows as { name: string; epoch: string }[]).map(({ name, epoch }) => [name, epoch]));
  }

  /** Stores the group's position; returns false, and stores nothing, if `member` has lost the group's lease or the topic was recreated. */
  commit(
    group: string,
    member: string,
    { topic, partition, epoch }: { topic: string; partition: number; epoch: string },
    { offset, metadata }: Commit,
  ): boolean {
    if (Buffer.byteLength(metadata) > maxMetadataBytes) {
      throw new EventLogError(
        'metadata-too-large',
        `commit metadata is limited to ${maxMetadataBytes} bytes`,
      );
    }
    try {
      const { changes } = this.#commit.run(
        group,
        topic,
        partition,
        offset,
        metadata,
        group,
        member,
        topic,
        epoch,
      );
      return changes > 0;
    } catch (error) {
      throw asEventLogError(error, 'the groups', this.#path);
    }
  }

  committed(group: string, topic: string, partition: number): Commit | null {
    const row = this.#committed.get(group, topic, partition) as
      { offset: number; metadata: string } | undefined;
    return row === undefined ? null : { offset: row.offset, metadata: row.metadata };
  }

  /**
   * Takes or renews the group's lease; false while another member holds it. A lease that ends later than any lease may was taken under a
   * clock that was ahead, and is ignored.
   */
  lease(group: string, member: string): boolean {
    const now = Date.now();
    // A lease means nothing after a power loss, and a sync every few seconds would keep an idle machine awake.
    this.#db.exec('PRAGMA synchronous=OFF');
    try {
      return this.#takeLease(group, member, now);
    } catch (error) {
      throw asEventLogError(error, 'the groups', this.#path);
    } finally {
      this.#db.exec('PRAGMA synchronous=FULL');
    }
  }

  #takeLease(group: string, member: string, nowMs: number): boolean {
    const result = this.#db
      .prepare(
        `INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT ("group") DO UPDATE SET member = excluded.member, expiresAt = excluded.expiresAt
         WHERE leases.member = excluded.member OR leases.expiresAt NOT BETWEEN ? AND ?`,
      )
      .run(group, member, nowMs + leaseMs, nowMs, nowMs + leaseMs);
    return result.changes > 0;
  }

  /** Whether the member has the lease; it may have expired, as long as no other member has taken it. */
  holds(group: string, member: string): boolean {
    const row = this.#db.prepare('SELECT 1 FROM leases WHERE "group" = ? AND member = ?').get(group, member);
    return row !== undefined;
  }

  release(group: string, member: string): void {
    try {
      this.#db.prepare('DELETE FROM leases WHERE "group" = ? AND member = ?').run(group, member);
    } catch (error) {
      // It expires by itself.
      if (storageTrouble(error) === undefined) throw error;
    }
  }

  /** Ends the leases of an earlier process, which died without releasing them. Called once by the process that owns the folder. */
  releaseAll(): void {
    withFileNamed(this.#path, () => this.#db.exec('DELETE FROM leases'));
  }

  close(): void {
    this.#db.close();
  }

  /** For a file that an earlier release made. */
  #addEpochs(): void {
    this.#inTransaction(() => {
      const columns = this.#db.prepare('PRAGMA table_info(topics)').all() as { name: string }[];
      if (!columns.some(({ name }) => name === 'epoch'))
        this.#db.exec('ALTER TABLE topics ADD COLUMN epoch TEXT');
    });
  }

  #inTransaction<T>(work: () => T): T {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw asEventLogError(error, 'the groups', this.#path);
    }
  }
}

/** Replaces the epoch of a deleted topic. */
const deleted = '';

/** The epoch that most topics in the folder have: it is the log's own if only this file was lost. */
function epochOfFiles(folder: string): string | undefined {
  const counts = new Map<string, number>();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.db') || name === 'groups.db') continue;
    try {
      const db = new DatabaseSync(join(folder, name), { readOnly: true });
      try {
        const row = db.prepare('SELECT epoch FROM topic').get() as { epoch: string } | undefined;
        if (row !== undefined) counts.set(row.epoch, (counts.get(row.epoch) ?? 0) + 1);
      } finally {
        db.close();
      }
    } catch {
      // A topic that cannot be read does not count.
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

function newEpoch(): string {
  return Date.now().toString(36) + Math.random().toString(36).slice(2, 6);
}

export const leaseRenewalMs = leaseMs / 4;

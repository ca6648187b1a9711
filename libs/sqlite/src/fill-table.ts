import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** How far the file holds a partition of a topic. */
interface Mark {
  topic: string;
  partition: number;
  offset: number;
}

/** The marks of LogView (libs/schemas), stored in the view's own file, beside its rows. */
export class FillTable {
  readonly #db: DatabaseSync;
  readonly #marks: StatementSync;
  readonly #removedBefore: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#marks = db.prepare('SELECT topic, partition, "offset" FROM filled WHERE epoch = ?');
    this.#removedBefore = db.prepare('SELECT micros FROM removed');
  }

  /** The tables, for the file's schema. */
  static readonly schema = `
    CREATE TABLE IF NOT EXISTS filled (epoch TEXT, topic TEXT, partition INTEGER, "offset" INTEGER NOT NULL,
      PRIMARY KEY (epoch, topic, partition)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS removed (one INTEGER PRIMARY KEY CHECK (one = 1), micros INTEGER NOT NULL);`;

  marks(epoch: string): Mark[] {
    return this.#marks.all(epoch) as unknown as Mark[];
  }

  /** As LogView.markFilled(). Not within a transaction. */
  move(epoch: string, moves: readonly (Mark & { from: number })[]): boolean {
    // A lost change only means that a few records are read again; syncing several times a second would cost more.
    this.#db.exec('PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE');
    try {
      const known = new Map(
        this.marks(epoch).map((mark) => [`${mark.topic}/${mark.partition}`, mark.offset]),
      );
      const holds = moves.every(
        ({ topic, partition, from }) => (known.get(`${topic}/${partition}`) ?? 0) >= from,
      );
      if (holds) {
        const put = this.#db.prepare(
          `INSERT INTO filled VALUES (?, ?, ?, ?) ON CONFLICT (epoch, topic, partition)
           DO UPDATE SET "offset" = max("offset", excluded."offset")`,
        );
        const forget = this.#db.prepare('DELETE FROM filled WHERE topic = ? AND epoch <> ?');
        for (const topic of new Set(moves.map((move) => move.topic))) forget.run(topic, epoch);
        for (const { topic, partition, offset } of moves) put.run(epoch, topic, partition, offset);
      }
      this.#db.exec('COMMIT');
      return holds;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#db.exec('PRAGMA synchronous=FULL');
    }
  }

  removedBefore(): number {
    const row = this.#removedBefore.get() as { micros: number } | undefined;
    return row?.micros ?? -Infinity;
  }

  /** Within the caller's transaction, if there is one. */
  noteRemoved(micros: number): void {
    this.#db
      .prepare(
        'INSERT INTO removed VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET micros = max(micros, excluded.micros)',
      )
      .run(micros);
  }

  /** Copies the marks of another file of the same view. */
  copyFrom(other: DatabaseSync): void {
    const put = this.#db.prepare('INSERT OR REPLACE INTO filled VALUES (?, ?, ?, ?)');
    const rows = other
      .prepare('SELECT epoch, topic, partition, "offset" FROM filled')
      .all() as unknown as (Mark & {
      epoch: string;
    })[];
    for (const { epoch, topic, partition, offset } of rows) put.run(epoch, topic, partition, offset);
    const removed = other.prepare('SELECT micros FROM removed').get() as { micros: number } | undefined;
    if (removed !== undefined) this.noteRemoved(removed.micros);
  }
}

import { openDatabase, withFileNamed } from '@logloom/sqlite';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

const schema = `
  CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'active', 'completed', 'failed')),
    run_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    attempts_made INTEGER NOT NULL DEFAULT 0,
    backoff TEXT,
    progress REAL NOT NULL DEFAULT 0,
    error TEXT,
    lease TEXT,
    lease_until INTEGER,
    lapses INTEGER NOT NULL DEFAULT 0,
    added_at INTEGER NOT NULL,
    finished_at INTEGER,
    timed_at INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS jobs_due ON jobs (name, state, run_at, seq);
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_lease ON jobs (lease) WHERE lease IS NOT NULL;
  CREATE INDEX IF NOT EXISTS jobs_finished ON jobs (name, state, finished_at, seq);
  CREATE TABLE IF NOT EXISTS schedules (
    id TEXT PRIMARY KEY,
    every_ms INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    next_at INTEGER NOT NULL
  ) STRICT;
`;

/** The queue's database file, WAL with an fsync on each commit; several processes may hold it at once. */
export class SqliteDatabase {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#path = path;
    this.#db = openDatabase(path);
    this.transaction(() => {
      this.#db.exec(schema);
      this.#addTimedAt();
    });
  }

  /** When the times of a row were written; it identifies times that were written while the clock was ahead. */
  #addTimedAt(): void {
    const has = this.#db.prepare("SELECT 1 FROM pragma_table_info('jobs') WHERE name = 'timed_at'").get();
    // A file of an earlier release.
    if (has === undefined)
      this.#db.exec('ALTER TABLE jobs ADD COLUMN timed_at INTEGER; UPDATE jobs SET timed_at = added_at');
    this.#db.exec('CREATE INDEX IF NOT EXISTS jobs_timed ON jobs (timed_at)');
  }

  /** Runs a statement and returns the number of rows that it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#named(() => Number(this.#statement(sql).run(...values).changes));
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#named(() => this.#statement(sql).all(...values) as Row[]);
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#named(() => this.#statement(sql).get(...values) as Row | undefined);
  }

  transaction<Result>(body: () => Result): Result {
    // The write lock is taken first: a transaction that reads and then writes could otherwise fail where it cannot wait.
    return this.#named(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = body();
        this.#db.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): void {
    this.#db.close();
  }

  #named<T>(work: () => T): T {
    return withFileNamed(this.#path, work);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

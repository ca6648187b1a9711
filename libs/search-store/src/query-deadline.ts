import type { DatabaseSync } from 'node:sqlite';
import { SearchStoreError } from './search-store.ts';

/** A condition that looks at the clock at every 256th row; put it before what is costly to test. */
export function deadlineCondition(rowid = 'rowid'): string {
  return `(${rowid} & 255 OR logloom_before_deadline())`;
}

/**
 * Ends queries that run too long. node:sqlite cannot interrupt a statement, but an SQL function that throws ends the one that calls
 * it. What SQLite does without testing a row, such as sorting, is not bounded.
 */
export class QueryDeadline {
  readonly #limitMs: number;
  #end = 0;

  constructor(db: DatabaseSync, limitMs: number) {
    this.#limitMs = limitMs;
    db.function('logloom_before_deadline', () => {
      if (performance.now() > this.#end)
        throw new SearchStoreError('timeout', `the query ran longer than ${limitMs} ms`);
      return 1;
    });
  }

  /** Runs queries that have the limit together. */
  run<T>(query: () => T): T {
    this.#end = performance.now() + this.#limitMs;
    return query();
  }

  /** For loops over rows. */
  check(): void {
    if (performance.now() > this.#end)
      throw new SearchStoreError('timeout', `the query ran longer than ${this.#limitMs} ms`);
  }
}

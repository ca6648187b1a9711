import type { DatabaseSync } from 'node:sqlite';
import { currentCancellation, throwIfCancelled, type Cancellation } from '../cancellation.ts';
import { SearchStoreError } from '../search-store.ts';

/**
 * A condition that checks at every 256th row the clock and whether the client still waits; put it before conditions that are costly to
 * test.
 */
export function deadlineCondition(rowid = 'rowid'): string {
  return `(${rowid} & 255 OR logloom_before_deadline())`;
}

/**
 * Ends queries that run too long, or whose client no longer waits. node:sqlite cannot interrupt a statement, but an SQL function that
 * throws ends it. Work of SQLite that tests no rows, such as sorting, is not bounded.
 */
export class QueryDeadline {
  readonly #limitMs: number;
  #end = 0;
  #cancellation: Cancellation | undefined;

  constructor(db: DatabaseSync, limitMs: number) {
    this.#limitMs = limitMs;
    db.function('logloom_before_deadline', () => {
      this.check();
      return 1;
    });
  }

  /** Runs queries that share one limit. */
  run<T>(query: () => T): T {
    this.#end = performance.now() + this.#limitMs;
    this.#cancellation = currentCancellation();
    throwIfCancelled(this.#cancellation);
    return query();
  }

  /** Runs a part of the queries with a shorter limit; returns false if that ended it, which is no error. */
  within(limitMs: number, part: () => void): boolean {
    const whole = this.#end;
    const end = Math.min(whole, performance.now() + limitMs);
    this.#end = end;
    try {
      part();
      return true;
    } catch (error) {
      const isOver = error instanceof SearchStoreError && error.code === 'timeout' && end < whole;
      if (isOver) return false;
      throw error;
    } finally {
      this.#end = whole;
    }
  }

  /** For loops over rows. */
  check(): void {
    throwIfCancelled(this.#cancellation);
    if (performance.now() > this.#end)
      throw new SearchStoreError('timeout', `the query ran longer than ${this.#limitMs} ms`);
  }
}

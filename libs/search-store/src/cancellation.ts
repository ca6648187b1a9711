import { AsyncLocalStorage } from 'node:async_hooks';
import { SearchStoreError } from './search-store.ts';

/**
 * Whether the client still waits. An AbortSignal fires on the thread that reads it, which a query of SQLite blocks until its end; so the
 * flag that ends such a query has to be readable meanwhile, for example in memory that threads share.
 */
export interface Cancellation {
  readonly aborted: boolean;
  /** For engines on the network: aborts as soon as its thread is free. */
  readonly signal?: AbortSignal | undefined;
}

const current = new AsyncLocalStorage<Cancellation>();
let cancelled = 0;

/** Runs the work; its queries, including those of functions that it calls, end with `cancelled` once the client no longer waits. */
export function runCancellable<T>(cancellation: Cancellation, work: () => T): T {
  return current.run(cancellation, work);
}

/** The cancellation of the surrounding work. */
export function currentCancellation(): Cancellation | undefined {
  return current.getStore();
}

/** Throws SearchStoreError `cancelled` if the client no longer waits. For loops that query stores repeatedly. */
export function throwIfCancelled(cancellation = current.getStore()): void {
  if (cancellation?.aborted === true) throw cancelledError();
}

export function cancelledError(cause?: unknown): SearchStoreError {
  cancelled++;
  return new SearchStoreError('cancelled', 'who asked is gone', { cause });
}

/** How many queries of this thread ended because their client no longer waited. */
export function cancelledQueries(): number {
  return cancelled;
}

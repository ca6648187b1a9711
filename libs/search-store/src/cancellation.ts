import { AsyncLocalStorage } from 'node:async_hooks';
import { SearchStoreError } from './search-store.ts';

/**
 * Whether whoever asked is still there. An AbortSignal is told on the thread that reads it, which a query of SQLite holds until its end;
 * so what ends such a query has to be readable meanwhile, for example memory that threads share.
 */
export interface Cancellation {
  readonly aborted: boolean;
  /** For engines that are asked over the network: aborts as soon as its thread gets to it. */
  readonly signal?: AbortSignal | undefined;
}

const current = new AsyncLocalStorage<Cancellation>();
let cancelled = 0;

/** Does the work; the queries that it makes, also later and in what it calls, end with `cancelled` once nobody waits for them. */
export function runCancellable<T>(cancellation: Cancellation, work: () => T): T {
  return current.run(cancellation, work);
}

/** The cancellation of the work that this call is a part of. */
export function currentCancellation(): Cancellation | undefined {
  return current.getStore();
}

/** Throws SearchStoreError `cancelled` when nobody waits for this work any more. For loops that ask stores again and again. */
export function throwIfCancelled(cancellation = current.getStore()): void {
  if (cancellation?.aborted === true) throw cancelledError();
}

export function cancelledError(cause?: unknown): SearchStoreError {
  cancelled++;
  return new SearchStoreError('cancelled', 'who asked is gone', { cause });
}

/** How many queries of this thread have ended because nobody waited for them. */
export function cancelledQueries(): number {
  return cancelled;
}

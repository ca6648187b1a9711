import { storageTrouble } from '@logloom/sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a write to a full disk is retried. */
const retryMs = 250;

/**
 * Returns the result of `store`. While the disk is full or read-only, retries until the signal aborts: then returns undefined, or throws
 * the last error with `throws`.
 */
export async function untilStored<T>(
  store: () => T,
  signal: AbortSignal,
  throws = false,
): Promise<T | undefined> {
  for (;;) {
    try {
      return store();
    } catch (error) {
      if (storageTrouble(error) === undefined || (signal.aborted && throws)) throw error;
      if (signal.aborted) return undefined;
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {});
  }
}

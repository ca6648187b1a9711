import { storageTrouble } from '@logloom/sqlite/storage-trouble';
import { setTimeout as sleep } from 'node:timers/promises';

const retryMs = 1000;

/**
 * Returns the result of `write`. While the disk is full or read-only it waits, as for an unreachable server, and calls `note` once. Throws
 * the last error when the signal aborts.
 */
export async function untilRoom<T>(
  write: () => T,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return write();
    } catch (error) {
      if (storageTrouble(error) === undefined || signal.aborted) throw error;
      if (tries === 0)
        note(`the position cannot be stored (${(error as Error).message}); waiting until it can`);
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {});
  }
}

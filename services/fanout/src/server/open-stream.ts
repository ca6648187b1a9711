import { EventLogError } from '@logloom/event-log';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveStream, type LiveStreamOptions } from '../stream/live-stream.ts';

/** How long until a damaged file of the log is looked at again. */
const damageRetryMs = 5000;

/**
 * Opens a stream. Waits while a file of the embedded log is damaged: the rest of Logloom runs, and readiness names the file. Rejects
 * when the log cannot be read, and with the damage when the signal aborts meanwhile.
 */
export async function openStream(options: LiveStreamOptions, signal: AbortSignal): Promise<LiveStream> {
  for (;;) {
    try {
      return await LiveStream.open(options, signal);
    } catch (error) {
      if (!isDamage(error) || signal.aborted) throw error;
      options.logger.error({ err: error }, 'the live tier waits for a damaged file of the log');
      await sleep(damageRetryMs, undefined, { signal }).catch(() => {});
    }
  }
}

export function isDamage(error: unknown): boolean {
  return error instanceof EventLogError && error.code === 'log-damaged';
}

import { EventLogError } from '@logloom/event-log';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveStream, type LiveStreamOptions } from '../stream/live-stream.ts';

/** The wait before an unreadable log is read again, ms. */
const retryMs = 5000;

/**
 * Opens a stream. Waits while a file of the embedded log is damaged or Kafka is unreachable: the rest of Logloom runs, and readiness shows
 * the reason. Rejects with that reason when the signal aborts meanwhile.
 */
export async function openStream(options: LiveStreamOptions, signal: AbortSignal): Promise<LiveStream> {
  for (;;) {
    try {
      return await LiveStream.open(options, signal);
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error;
      options.logger.error({ err: error }, 'the live tier waits for the log');
      await sleep(retryMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Whether the log may be read later. */
export function isPassing(error: unknown): boolean {
  return error instanceof EventLogError && error.retriable;
}

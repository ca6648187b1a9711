import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '@logloom/telemetry';
import { IngestError } from '../errors.ts';

const retryMs = 500;

export interface UntilDurableOptions {
  /** The receiver's name in metrics. */
  receiver: string;
  logger: Telemetry['logger'];
  /** Aborts when received messages are to be written regardless of quotas. */
  draining: AbortSignal;
  /** Aborts when messages that the log does not take are to be given up. */
  giveUp: AbortSignal;
  /** Called with the time for which the quota of a service held up a sender. */
  onHeld: (ms: number) => void;
}

/**
 * Repeats an append for senders that cannot be refused. Resolves when it is durable, however long the log is unreachable or a service over
 * its quota. Rejects when it never will be, and at `giveUp`.
 */
export async function untilDurable(
  append: () => Promise<void>,
  { receiver, logger, draining, giveUp, onHeld }: UntilDurableOptions,
): Promise<void> {
  for (let isLogged = false; ;) {
    try {
      await append();
      return;
    } catch (error) {
      if (!(error instanceof IngestError && error.retriable) || giveUp.aborted) throw error;
      if (error.code === 'quota-exceeded') {
        const beganMs = performance.now();
        await sleep(error.retryAfterSeconds * 1000, undefined, { signal: draining }).catch(() => {});
        onHeld(performance.now() - beganMs);
        continue;
      }
      if (!isLogged) logger.warn({ err: error, receiver }, 'the log cannot be reached: senders wait');
      isLogged = true;
    }
    await sleep(retryMs, undefined, { signal: giveUp }).catch(() => {});
  }
}

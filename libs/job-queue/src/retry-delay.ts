import { RetryLaterError } from './job-queue-error.ts';
import type { Backoff } from './job-queue.ts';

const longestMs = 24 * 60 * 60 * 1000;

/**
 * Milliseconds to wait after the given attempt (1 for the first) has failed, at most a day. `random` is in [0, 1); with jitter j the
 * delay lies between (1 - j) and 1 times the full one.
 */
export function retryDelay(backoff: Backoff | undefined, attempt: number, random: number): number {
  if (backoff === undefined) return 0;
  const full = backoff.type === 'fixed' ? backoff.delayMs : backoff.delayMs * 2 ** (attempt - 1);
  return Math.round(Math.min(full, longestMs) * (1 - (backoff.jitter ?? 0) * random));
}

/** As retryDelay(), unless the error says when to try again. */
export function delayAfter(
  error: unknown,
  backoff: Backoff | undefined,
  attempt: number,
  random: number,
): number {
  if (!(error instanceof RetryLaterError)) return retryDelay(backoff, attempt, random);
  return Math.round(Math.min(Math.max(0, error.afterMs), longestMs));
}

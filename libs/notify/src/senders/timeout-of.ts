import { durationMs } from '@logloom/schemas';

/** The time limit of a request, if one is given. */
export function timeoutOf(timeout: string | undefined): { timeoutMs?: number } {
  return timeout === undefined ? {} : { timeoutMs: durationMs(timeout) };
}

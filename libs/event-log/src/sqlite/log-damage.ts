import { EventLogError } from '../event-log.ts';

/** How long a reader of a damaged file waits before it tries again. */
export const damageRetryMs = 5000;

export function isLogDamage(error: unknown): error is EventLogError {
  return error instanceof EventLogError && error.code === 'log-damaged';
}

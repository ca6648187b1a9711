import type { JobOptions, NewJob } from '@logloom/job-queue';
import type { AlertState } from '../alert-state.ts';

/** The job that changes groups; one at a time over all processes. */
export const groupJob = 'notification-group';
/** The job that sends a message. */
export const notificationJob = 'notification';

/** Alerts to take, or groups to look at, not before a time in ms since 1970. */
export type GroupJob =
  | { alerts: readonly AlertState[] }
  | { look: readonly string[]; atMs: number; isSure?: boolean }
  /** All alerts that fire are to be taken again, because the routes have changed. */
  | { route: 'again' };

/** A message of a group. What it says is seen when it is sent, so that it is never older than what was sent before it. */
export interface NotificationJob {
  group: string;
  sinceMs: number;
  number: number;
}

/** It depends on nothing but the store that it is in: it is repeated until that works. */
export const groupRetries: JobOptions = { attempts: 1_000_000, backoff: { type: 'fixed', delayMs: 5_000 } };

/** Groups in one job. */
const lookedAt = 500;

/** Jobs that look at groups, not before a time in ms since 1970. */
export function lookJobs(
  groups: readonly string[],
  atMs: number,
  { isSure = false, delayMs = 0 }: { isSure?: boolean; delayMs?: number } = {},
): NewJob[] {
  const jobs: NewJob[] = [];
  for (let i = 0; i < groups.length; i += lookedAt) {
    const data: GroupJob = { look: groups.slice(i, i + lookedAt), atMs, ...(isSure && { isSure }) };
    jobs.push({ ...groupRetries, name: groupJob, data, delayMs });
  }
  return jobs;
}

/** Ten attempts over about a quarter of an hour. */
export const notificationRetries: JobOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delayMs: 1_000, jitter: 0.5 },
};

import type { JobOptions } from '@logloom/job-queue';
import { groupJob, notificationJob } from '@logloom/notify/jobs';
import { join } from 'node:path';

/** The indexer's jobs, as they are named in the queue. */
export const jobNames = {
  redrive: 'redrive',
  rebuild: 'rebuild',
  verify: 'verify',
  retention: 'retention',
  savedFilter: 'saved-filter',
  alert: 'alert',
  notificationGroup: groupJob,
  notification: notificationJob,
} as const;

/** A store may be unreachable for a while: ten attempts take about a quarter of an hour. */
export const retries: JobOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delayMs: 2000, jitter: 0.5 },
};

/** The kind of the records with the results of finished jobs, under the job's id. */
export const resultKind = 'job-result';

/** The kind of the records of jobs that a client has started and that have not completed, under the job's id. */
export const orderKind = 'ordered-job';

/** The content of such a record. */
export interface OrderedJob {
  name: string;
  data: unknown;
}

/** The folder of the embedded queue, in the data folder. */
export function jobsFolder(dataFolder: string): string {
  return join(dataFolder, 'jobs');
}

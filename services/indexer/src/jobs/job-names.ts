import type { JobOptions } from '@logloom/job-queue';
import { join } from 'node:path';

/** The indexer's jobs, as they are named in the queue. */
export const jobNames = {
  redrive: 'redrive',
  rebuild: 'rebuild',
  verify: 'verify',
  retention: 'retention',
  savedFilter: 'saved-filter',
  alert: 'alert',
} as const;

/** A store that is out of reach may be so for a while: ten attempts take about a quarter of an hour. */
export const retries: JobOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delayMs: 2000, jitter: 0.5 },
};

/** The kind of the records that hold what finished jobs found, under the job's id. */
export const resultKind = 'job-result';

/** The kind of the records of jobs that somebody ordered and that have not completed, under the job's id. */
export const orderKind = 'ordered-job';

/** What such a record holds. */
export interface OrderedJob {
  name: string;
  data: unknown;
}

/** The folder of the embedded queue, in the data folder. */
export function jobsFolder(dataFolder: string): string {
  return join(dataFolder, 'jobs');
}

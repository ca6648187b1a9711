import type { JobQueue } from './job-queue.ts';
import { createSqliteJobQueue } from './sqlite.ts';

export interface OpenJobQueueOptions {
  /** Redis; undefined: the embedded queue. */
  redisUrl?: string | undefined;
  /** Of the embedded queue. */
  folder: string;
}

/** The job queue that the settings ask for. */
export async function openJobQueue({ redisUrl, folder }: OpenJobQueueOptions): Promise<JobQueue> {
  if (redisUrl === undefined) return createSqliteJobQueue({ folder });
  // Its client takes time and memory that whoever runs embedded need not spend.
  const { createBullJobQueue } = await import('./bullmq.ts');
  return createBullJobQueue({ url: redisUrl });
}

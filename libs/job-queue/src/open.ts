import type { JobQueue } from './job-queue.ts';
import type { RedisAccess } from './redis/options.ts';
import type { JobRecords } from './job-records.ts';
import { createSqliteJobRecords } from './sqlite/records.ts';
import { createSqliteJobQueue } from './sqlite/sqlite-job-queue.ts';

export interface OpenJobQueueOptions {
  /** Redis; undefined: the embedded queue. */
  redisUrl?: string | undefined;
  /** How Redis is reached and who logs in, beside the URL. */
  redis?: RedisAccess | undefined;
  /** Of the embedded queue. */
  folder: string;
  /** Called at most once a minute with the reason why Redis cannot be reached, with the setting's name; calls wait meanwhile. */
  onTrouble?: ((message: string) => void) | undefined;
}

/** The job queue that the settings name. Throws EngineAccessError when Redis refuses this client. */
export async function openJobQueue({
  redisUrl,
  redis,
  folder,
  onTrouble,
}: OpenJobQueueOptions): Promise<JobQueue> {
  if (redisUrl === undefined) return createSqliteJobQueue({ folder });
  // The client is loaded only here: embedded mode should not spend the time and memory.
  const { openBullJobQueue } = await import('./bullmq/bullmq-job-queue.ts');
  return openBullJobQueue({ url: redisUrl, access: redis, onTrouble });
}

/** The records beside that queue. */
export async function openJobRecords({
  redisUrl,
  redis,
  folder,
  onTrouble,
}: OpenJobQueueOptions): Promise<JobRecords> {
  if (redisUrl === undefined) return createSqliteJobRecords(folder);
  const { openRedisJobRecords } = await import('./bullmq/redis-records.ts');
  return openRedisJobRecords({ url: redisUrl, access: redis, onTrouble });
}

import { JobQueueError } from '../job-queue-error.ts';
import type { Job, JobQueue } from '../job-queue.ts';
import { addJobs, jobOf, stateOf } from './jobs.ts';
import { nameSetting, type OnRedisTrouble } from './redis-errors.ts';
import { deleteSchedule, putSchedule } from './schedules.ts';
import { checkRedisAccess } from '../redis/check-redis-access.ts';
import type { RedisAccess } from '../redis/options.ts';
import { RedisClients } from '../redis/redis-client.ts';
import { BullStore } from './store.ts';
import { unlessSilent } from './unless-silent.ts';
import { runBullWorker, type BullWorkerSettings } from './worker.ts';

export interface BullJobQueueOptions extends Partial<BullWorkerSettings> {
  url: string;
  access?: RedisAccess | undefined;
  /** The prefix of all keys of the store. Its braces keep them on one node of a Redis Cluster. */
  prefix?: string;
  onTrouble?: OnRedisTrouble | undefined;
}

const defaultPrefix = '{logloom}';

const defaults: BullWorkerSettings = {
  leaseMs: 30_000,
  maxLapses: 10,
  keepCompleted: 1000,
  keepFailed: 10_000,
};

/** BullMQ's codes for a job that does not exist or is not in the required state. */
const missingJob = -1;
const otherState = -3;

/** The queue on Redis, once Redis is known to take this client, or to be away. Throws EngineAccessError when it refuses it. */
export async function openBullJobQueue(options: BullJobQueueOptions): Promise<JobQueue> {
  using clients = new RedisClients(options.url, options.access);
  await checkRedisAccess(clients, options.url, `${options.prefix ?? defaultPrefix}:names`);
  return createBullJobQueue(options);
}

/**
 * The queue on Redis, shared by any number of machines. Calls wait while Redis is unreachable. A job is as durable as Redis is: with
 * `appendfsync everysec`, a crash of the machine may cost the last second; `always` keeps it.
 */
export function createBullJobQueue({
  url,
  access,
  prefix = defaultPrefix,
  onTrouble,
  ...settings
}: BullJobQueueOptions): JobQueue {
  const store = new BullStore(url, prefix, access, onTrouble);
  const closing = new AbortController();
  const workers = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;
  const open = (): BullStore => {
    if (closing.signal.aborted) throw new JobQueueError('closed', 'the job queue is closed');
    return store;
  };
  const find = async (id: string): Promise<Job | undefined> => {
    const job = await open().find(id);
    const state = job && (await stateOf(job));
    return state && jobOf(job, state);
  };

  return nameSetting({
    add: async (name, data, options = {}) => (await addJobs(open(), [{ ...options, name, data }]))[0]!,
    addMany: async (jobs) => addJobs(open(), jobs),
    process: async (name, handler, { concurrency = 1, exclusive = false }, signal) => {
      const opened = open();
      const stopping = AbortSignal.any([signal, closing.signal]);
      const work = async (): Promise<void> => {
        const queue = await opened.queue(name);
        if (exclusive) await queue.setGlobalConcurrency(1);
        const worker = { ...defaults, ...settings };
        await runBullWorker(opened, worker, name, handler, concurrency, stopping);
      };
      const running = unlessSilent(work(), opened.redis, stopping);
      workers.add(running);
      try {
        await running;
      } finally {
        workers.delete(running);
      }
    },
    schedule: async (id, schedule, name, data) => putSchedule(open(), id, schedule, name, data),
    unschedule: async (id) => deleteSchedule(open(), id),
    counts: async (name) => {
      const queue = await open().queue(name);
      const {
        waiting = 0,
        prioritized = 0,
        delayed = 0,
        active = 0,
        completed = 0,
        failed = 0,
      } = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed');
      return { waiting: waiting + prioritized, delayed, active, completed, failed };
    },
    get: find,
    failed: async (name, limit = 100) => {
      const queue = await open().queue(name);
      return (await queue.getFailed(0, limit - 1)).map((job) => jobOf(job, 'failed'));
    },
    retry: async (id) => {
      const job = await open().find(id);
      if (job === undefined) throw new JobQueueError('job-not-found', `there is no job ${id}`);
      try {
        await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
      } catch (cause) {
        const { code } = cause as { code?: unknown };
        if (code === missingJob) throw new JobQueueError('job-not-found', `there is no job ${id}`, { cause });
        if (code !== otherState) throw cause;
        throw new JobQueueError('job-not-failed', `the job ${id} has not failed`, { cause });
      }
    },
    remove: async (id) => {
      const job = await open().find(id);
      if (job === undefined) return false;
      try {
        await job.remove();
        return true;
      } catch (cause) {
        if ((await stateOf(job)) !== 'active') throw cause;
        throw new JobQueueError('job-active', `the job ${id} is being worked on`, { cause });
      }
    },
    problem: () => (store.fault === undefined ? undefined : `Redis: ${store.fault}`),
    close: async () => {
      closed ??= (async () => {
        closing.abort();
        await Promise.allSettled(workers);
        await store.close();
      })();
      await closed;
    },
  });
}

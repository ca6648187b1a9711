import type { Job as BullJob, JobsOptions } from 'bullmq';
import { randomUUID } from 'node:crypto';
import { checkJob } from '../check-job.ts';
import type { Backoff, Job, JobState, NewJob } from '../job-queue.ts';
import { encode, fromBullId, toBullId } from './ids.ts';
import type { BullStore } from './store.ts';

/** Marks the backoffs that retryDelay() computes: BullMQ's own have no maximum delay. */
const backoffTypes: Record<Backoff['type'], string> = {
  fixed: 'logloom-fixed',
  exponential: 'logloom-exponential',
};

/** Adds the jobs whose ids are new in the store, all or none, and returns all ids. */
export async function addJobs(store: BullStore, jobs: readonly NewJob[]): Promise<string[]> {
  for (const job of jobs) checkJob(job);
  if (jobs.length === 0) return [];
  const identified = jobs.map((job) => ({ ...job, id: job.id ?? randomUUID() }));
  for (const name of new Set(jobs.map((job) => job.name))) await store.queue(name);
  const add = (added: readonly (NewJob & { id: string })[]): Promise<void> =>
    store.add(
      added.map((job) => ({
        name: job.name,
        queueName: encode(job.name),
        data: job.data,
        opts: optionsOf(job),
      })),
    );
  const ids = identified.map(({ id }) => id);
  if (jobs.every(({ id }) => id === undefined)) {
    await add(identified);
    return ids;
  }
  // BullMQ keeps ids unique within a name; uniqueness over all names is ensured here.
  await store.locked(async () => {
    const names = new Map<string, string>();
    for (const { id, name } of identified) if (!names.has(id)) names.set(id, name);
    const chosen = jobs.map(({ id }) => id).filter((id) => id !== undefined);
    const present = await Promise.all(
      [...new Set(chosen)].map(async (id) => ((await store.find(id)) ? id : '')),
    );
    const known = new Set(present);
    await add(identified.filter(({ id, name }) => !known.has(id) && names.get(id) === name));
  });
  return ids;
}

function optionsOf({ id, delayMs = 0, attempts = 1, backoff }: NewJob & { id: string }): JobsOptions {
  return {
    jobId: toBullId(id),
    attempts,
    ...(delayMs > 0 && { delay: Math.round(delayMs) }),
    ...(backoff !== undefined && {
      backoff: { type: backoffTypes[backoff.type], delay: backoff.delayMs, jitter: backoff.jitter ?? 0 },
    }),
  };
}

/** The backoff that optionsOf() stored. */
export function backoffOf({ opts }: Pick<BullJob, 'opts'>): Backoff | undefined {
  const noted = opts.backoff;
  if (typeof noted !== 'object') return undefined;
  const type = noted.type === backoffTypes.fixed ? 'fixed' : 'exponential';
  return { type, delayMs: noted.delay ?? 0, jitter: noted.jitter ?? 0 };
}

export function jobOf(job: BullJob, state: JobState): Job {
  return {
    id: fromBullId(job.id!),
    name: job.name,
    data: job.data as unknown,
    state,
    // BullMQ counts an attempt when it has ended.
    attemptsMade: job.attemptsMade + (state === 'active' ? 1 : 0),
    attempts: job.opts.attempts ?? 1,
    progress: typeof job.progress === 'number' ? job.progress : 0,
    ...(state !== 'completed' && job.failedReason && { error: job.failedReason }),
    addedAt: job.timestamp,
    ...(job.finishedOn && { finishedAt: job.finishedOn }),
  };
}

const states: Record<string, JobState> = {
  waiting: 'waiting',
  prioritized: 'waiting',
  delayed: 'delayed',
  active: 'active',
  completed: 'completed',
  failed: 'failed',
};

/** Undefined if the job was removed meanwhile. */
export async function stateOf(job: BullJob): Promise<JobState | undefined> {
  return states[await job.getState()];
}

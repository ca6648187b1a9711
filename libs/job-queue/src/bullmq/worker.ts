import { UnrecoverableError, WaitingError, Worker, type Job as BullJob } from 'bullmq';
import { JobQueueError, UnrecoverableJobError } from '../job-queue-error.ts';
import type { JobHandler } from '../job-queue.ts';
import { delayAfter } from '../retry-delay.ts';
import { encode, fromBullId } from './ids.ts';
import { backoffOf, jobOf } from './jobs.ts';
import type { BullStore } from './store.ts';

export interface BullWorkerSettings {
  /** A job whose worker does not renew its lease for this time goes to another worker; also how often this is checked. */
  leaseMs: number;
  /** How often a job may outlive its lease before it fails. */
  maxLapses: number;
  /** Finished jobs that are kept for each name. */
  keepCompleted: number;
  keepFailed: number;
}

/** Processes the jobs of one name until the signal aborts; see JobQueue.process. */
export async function runBullWorker(
  store: BullStore,
  settings: BullWorkerSettings,
  name: string,
  handler: JobHandler,
  concurrency: number,
  signal: AbortSignal,
): Promise<void> {
  const { leaseMs, maxLapses, keepCompleted, keepFailed } = settings;
  /** The jobs in hand, under BullMQ's ids. */
  const held = new Map<string, AbortController>();
  const work = async (job: BullJob, token?: string): Promise<void> => {
    const lost = new AbortController();
    held.set(job.id!, lost);
    const reportProgress = (progress: number): Promise<void> => job.updateProgress(progress);
    try {
      // The job may have arrived while the worker was being stopped.
      signal.throwIfAborted();
      await handler({ ...jobOf(job, 'active'), reportProgress }, AbortSignal.any([signal, lost.signal]));
    } catch (error) {
      // Without the lease there is nothing to settle: BullMQ refuses every change that this job's end would make.
      if (signal.aborted && !lost.signal.aborted) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      if (error instanceof UnrecoverableJobError) throw new UnrecoverableError(error.message);
      throw error instanceof Error ? error : new Error(String(error));
    } finally {
      // A job that was lost may have come back to this very worker.
      if (held.get(job.id!) === lost) held.delete(job.id!);
    }
  };
  const worker = new Worker(encode(name), work, {
    connection: store.redis,
    prefix: store.prefix,
    autorun: false,
    concurrency,
    lockDuration: leaseMs,
    lockRenewTime: leaseMs / 3,
    stalledInterval: leaseMs,
    maxStalledCount: maxLapses,
    removeOnComplete: { count: keepCompleted },
    removeOnFail: { count: keepFailed },
    settings: {
      backoffStrategy: (attempt, _type, error, job) =>
        delayAfter(error, job && backoffOf(job), attempt, Math.random()),
    },
  });
  // Broken connections and lost leases: the worker recovers by itself.
  worker.on('error', () => {});
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids)
      held
        .get(id)
        ?.abort(new JobQueueError('lease-lost', `${fromBullId(id)}: another worker may have the job by now`));
  });
  const stop = (): void => void worker.close();
  signal.addEventListener('abort', stop);
  try {
    if (!signal.aborted) await worker.run();
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.close();
  }
}

import { storageTrouble } from '@logloom/sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobQueueError, UnrecoverableJobError } from '../job-queue-error.ts';
import type { JobHandler } from '../job-queue.ts';
import { delayAfter } from '../retry-delay.ts';
import type { SqliteDatabase } from './database.ts';
import type { JobNotifier } from './job-notifier.ts';
import * as jobs from './jobs.ts';
import { addScheduledJobs } from './schedules.ts';

export interface WorkerSettings {
  /**
   * A job whose worker does not renew its lease for this time goes to another worker. A handler that blocks the thread longer loses its
   * job.
   */
  leaseMs: number;
  /** How often an idle worker looks for jobs from other processes and for due ones. */
  pollMs: number;
  /** How often a job may outlive its lease before it fails. */
  maxLapses: number;
  /** Finished jobs that are kept for each name. */
  keepCompleted: number;
  keepFailed: number;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/** Processes the jobs of one name until the signal aborts; see JobQueue.process. */
export class SqliteWorker {
  readonly #db: SqliteDatabase;
  readonly #settings: WorkerSettings;
  readonly #notifier: JobNotifier;
  readonly #handler: JobHandler;
  readonly #active = new Set<Promise<void>>();
  #broken: { error: unknown } | undefined;

  constructor(db: SqliteDatabase, settings: WorkerSettings, notifier: JobNotifier, handler: JobHandler) {
    this.#db = db;
    this.#settings = settings;
    this.#notifier = notifier;
    this.#handler = handler;
  }

  async run(name: string, concurrency: number, exclusive: boolean, signal: AbortSignal): Promise<void> {
    const wake = () => this.#notifier.wake();
    const stop = new AbortController();
    const stopping = AbortSignal.any([signal, stop.signal]);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted && this.#broken === undefined) {
        const calls = this.#notifier.calls;
        try {
          jobs.undoWrongClock(this.#db, this.#settings.nowMs());
          addScheduledJobs(this.#db, name, this.#settings.nowMs());
          while (this.#active.size < concurrency && this.#start(name, exclusive, stopping));
        } catch (error) {
          // Jobs wait until the disk has room again.
          if (storageTrouble(error) === undefined) throw error;
        }
        await this.#notifier.sleep(this.#settings.pollMs, calls);
      }
    } finally {
      signal.removeEventListener('abort', wake);
      stop.abort();
      await Promise.all(this.#active);
    }
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  /** Starts the next job; false when none is due. */
  #start(name: string, exclusive: boolean, stopping: AbortSignal): boolean {
    const { leaseMs, maxLapses } = this.#settings;
    const nowMs = this.#settings.nowMs();
    const claimed = jobs.claimJob(this.#db, name, nowMs, nowMs + leaseMs, maxLapses, exclusive);
    if (claimed === undefined) return false;
    const done = this.#work(claimed, stopping)
      .catch((error: unknown) => {
        this.#broken = { error };
      })
      .finally(() => {
        this.#active.delete(done);
        this.#notifier.wake();
      });
    this.#active.add(done);
    return true;
  }

  async #work(claimed: jobs.ClaimedJob, stopping: AbortSignal): Promise<void> {
    const { job, lease } = claimed;
    const lost = new AbortController();
    const lose = () =>
      lost.abort(new JobQueueError('lease-lost', `${job.id}: another worker may have the job by now`));
    const signal = AbortSignal.any([stopping, lost.signal]);
    const renewal = setInterval(() => {
      try {
        const nowMs = this.#settings.nowMs();
        if (!jobs.renewLease(this.#db, lease, nowMs, nowMs + this.#settings.leaseMs)) lose();
      } catch {
        // The store is busy: the next renewal is in time, or the lease expires and the job runs again.
      }
    }, this.#settings.leaseMs / 3);
    const reportProgress = async (progress: number) => {
      if (!jobs.setProgress(this.#db, lease, progress)) lose();
    };
    try {
      await this.#handler({ ...job, reportProgress }, signal);
    } catch (error) {
      // Without the lease there is nothing to settle: the statements below change nothing.
      await this.#untilStored(stopping, () => {
        if (signal.aborted) jobs.releaseJob(this.#db, lease);
        else this.#settleFailure(claimed, error);
      });
      return;
    } finally {
      clearInterval(renewal);
    }
    await this.#untilStored(stopping, () =>
      jobs.finishJob(
        this.#db,
        claimed,
        { state: 'completed' },
        this.#settings.nowMs(),
        this.#settings.keepCompleted,
      ),
    );
  }

  /** The job's result is stored once the disk has room; if the worker stops before that, the job runs again. */
  async #untilStored(stopping: AbortSignal, store: () => void): Promise<void> {
    for (;;) {
      try {
        return store();
      } catch (error) {
        if (storageTrouble(error) === undefined) throw error;
        if (stopping.aborted) return;
      }
      await sleep(this.#settings.pollMs, undefined, { signal: stopping }).catch(() => {});
    }
  }

  #settleFailure(claimed: jobs.ClaimedJob, error: unknown): void {
    const { job, backoff, lease } = claimed;
    const nowMs = this.#settings.nowMs();
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UnrecoverableJobError || job.attemptsMade >= job.attempts) {
      jobs.finishJob(
        this.#db,
        claimed,
        { state: 'failed', error: message },
        nowMs,
        this.#settings.keepFailed,
      );
    } else {
      const delayMs = delayAfter(error, backoff, job.attemptsMade, Math.random());
      jobs.postponeJob(this.#db, lease, message, nowMs, nowMs + delayMs);
    }
  }
}

/** How long to wait before a failed attempt is repeated. */
export interface Backoff {
  /** `fixed` waits delayMs each time; `exponential` doubles it with each attempt. */
  type: 'exponential' | 'fixed';
  delayMs: number;
  /** The share of the delay, 0 to 1, that is left to chance, so that jobs that failed together do not return together. Default 0. */
  jitter?: number;
}

export interface JobOptions {
  /** A name of the job's own, unique over all jobs of the store. Made up when absent. */
  id?: string;
  /** The earliest start, from now. Default 0. */
  delayMs?: number;
  /** How often the handler may be tried in all. Default 1. */
  attempts?: number;
  /** Without it a failed attempt is repeated at once. */
  backoff?: Backoff;
}

export interface NewJob extends JobOptions {
  name: string;
  /** Anything that JSON can hold. */
  data: unknown;
}

export type JobState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';

export interface Job {
  id: string;
  name: string;
  data: unknown;
  state: JobState;
  /** Attempts that were started, the present one included; those that a dead worker left unfinished do not count. */
  attemptsMade: number;
  attempts: number;
  /** What the handler reported last, 0 to 1. */
  progress: number;
  /** The message of the last error. */
  error?: string;
  /** Milliseconds since the epoch. */
  addedAt: number;
  finishedAt?: number;
}

/** A job in the hands of its handler. */
export interface RunningJob extends Job {
  /** Stores how much of the work is done, 0 to 1. */
  reportProgress(progress: number): Promise<void>;
}

/**
 * Does the work of a job; a rejection is a failed attempt. `signal` aborts when the worker is to stop or has lost its lease on the
 * job; whoever rejects then has not failed: the job goes back to the queue and the attempt does not count.
 */
export type JobHandler = (job: RunningJob, signal: AbortSignal) => Promise<void>;

export type Schedule = { everyMs: number } | { cron: string };

export type JobCounts = Record<JobState, number>;

/**
 * Work to be done later, with retries.
 *
 * Guarantees:
 * - Durability: when add() resolves, the job survives a crash of the process and of the machine.
 * - At least once: a worker holds a job under a lease that it renews. When it dies, the lease runs out and another worker runs the
 *   job again. Handlers must therefore be idempotent. A job whose completion was stored is never run again.
 * - A job that outlives its lease too often (it kills its workers) fails instead of going round for ever.
 * - Order: due jobs of one name start in the order of their due time, then in that in which they were added. With retries, with a
 *   concurrency above 1 or with several workers they may end in any order.
 * - Two jobs with the same id are one: the first one's name and data stay, for as long as it is kept.
 * - Finished jobs are kept by count, the oldest go first; their ids are free again.
 *
 * Every call rejects with a JobQueueError; `closed` after close().
 */
export interface JobQueue {
  /** Adds a job and returns its id. Throws `bad-job` for data that JSON cannot hold and for options out of range. */
  add(name: string, data: unknown, options?: JobOptions): Promise<string>;
  /** Adds all of the jobs or none, and returns their ids in the same order. */
  addMany(jobs: NewJob[]): Promise<string[]>;
  /**
   * Works the jobs of one name, `concurrency` (default 1) at a time, until the signal aborts; resolves when the handlers that were
   * running have ended, or when the store answers nothing any more. Rejects when the store fails. A handler that throws an UnrecoverableJobError fails its job at once.
   * `exclusive`: one job of the name at a time over all workers of the store, from now on; a lease that runs out ends a job's turn.
   */
  process(
    name: string,
    handler: JobHandler,
    options: { concurrency?: number; exclusive?: boolean },
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Adds a job of this name every `everyMs` while a worker of the name runs, first one interval from now. The same id again replaces
   * the schedule; its clock goes on when the interval is unchanged. Intervals that no worker saw give one job, not many.
   * Throws `unsupported-schedule` where the adapter does not know cron.
   */
  schedule(id: string, schedule: Schedule, name: string, data: unknown): Promise<void>;
  /** Ends a schedule; false when there is none. */
  unschedule(id: string): Promise<boolean>;
  counts(name: string): Promise<JobCounts>;
  get(id: string): Promise<Job | undefined>;
  /** The failed jobs of a name, the newest first, at most `limit` (default 100). */
  failed(name: string, limit?: number): Promise<Job[]>;
  /** Gives a failed job all its attempts again. Throws `job-not-found` or `job-not-failed`. */
  retry(id: string): Promise<void>;
  /** Removes a job; false when there is none. Throws `job-active` while it is worked on. */
  remove(id: string): Promise<boolean>;
  /** Stops the workers of this instance as their signals would, waits for them and lets the store go. */
  close(): Promise<void>;
}

/** How long to wait before a failed attempt is repeated. */
export interface Backoff {
  /** `fixed` waits delayMs each time; `exponential` doubles it with each attempt. */
  type: 'exponential' | 'fixed';
  delayMs: number;
  /** The share of the delay, 0 to 1, that is random, so that jobs that failed together are not retried together. Default 0. */
  jitter?: number;
}

export interface JobOptions {
  /** An id for the job, unique over all jobs of the store. Generated if absent. */
  id?: string;
  /** The earliest start, from now. Default 0. */
  delayMs?: number;
  /** How often the handler may be attempted in total. Default 1. */
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
 * Does the work of a job; a rejection is a failed attempt. `signal` aborts when the worker has to stop or has lost its lease on the job. A
 * rejection after that is not a failure: the job goes back to the queue and the attempt does not count.
 */
export type JobHandler = (job: RunningJob, signal: AbortSignal) => Promise<void>;

export type Schedule = { everyMs: number } | { cron: string };

export type JobCounts = Record<JobState, number>;

/**
 * Work to be done later, with retries.
 *
 * Guarantees:
 * - Durability: when add() resolves, the job survives a crash of the process and of the machine.
 * - At least once: a worker holds a job under a lease that it renews. If the worker dies, the lease expires and another worker runs the job
 *   again. Handlers must therefore be idempotent. A job whose completion was stored is never run again.
 * - A job that outlives its lease too often (because it kills its workers) fails instead of being repeated forever.
 * - Order: due jobs of one name start in the order of their due time, then in that in which they were added. With retries, with a
 *   concurrency above 1 or with several workers they may end in any order.
 * - Two jobs with the same id are one: the first one's name and data stay, for as long as it is kept.
 * - A number of finished jobs is kept, and the oldest are removed first; their ids are then free again.
 *
 * Every call rejects with a JobQueueError; `closed` after close().
 */
export interface JobQueue {
  /** Adds a job and returns its id. Throws `bad-job` for data that JSON cannot hold and for options out of range. */
  add(name: string, data: unknown, options?: JobOptions): Promise<string>;
  /** Adds all of the jobs or none, and returns their ids in the same order. */
  addMany(jobs: NewJob[]): Promise<string[]>;
  /**
   * Processes the jobs of one name, `concurrency` (default 1) at a time, until the signal aborts; resolves when the running handlers have
   * ended, or when the store stops answering. Rejects when the store fails. A handler that throws an UnrecoverableJobError fails its job at
   * once; one that throws a RetryLaterError sets the time of the next attempt of a job with a backoff. `exclusive`: from now on, one job of the name at a time over all workers of the store; an expired lease lets the next job run.
   */
  process(
    name: string,
    handler: JobHandler,
    options: { concurrency?: number; exclusive?: boolean },
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Adds a job of this name every `everyMs` while a worker of the name runs, first one interval from now. The same id replaces the
   * schedule; its clock continues if the interval is unchanged. Intervals that passed without a worker result in one job, not many. Throws
   * `unsupported-schedule` where the adapter does not know cron.
   */
  schedule(id: string, schedule: Schedule, name: string, data: unknown): Promise<void>;
  /** Ends a schedule; false when there is none. */
  unschedule(id: string): Promise<boolean>;
  counts(name: string): Promise<JobCounts>;
  get(id: string): Promise<Job | undefined>;
  /** The failed jobs of a name, the newest first, at most `limit` (default 100). */
  failed(name: string, limit?: number): Promise<Job[]>;
  /** Retries a failed job, with all its attempts. Throws `job-not-found` or `job-not-failed`. */
  retry(id: string): Promise<void>;
  /** Removes a job; false when there is none. Throws `job-active` while it is worked on. */
  remove(id: string): Promise<boolean>;
  /** Why the engine refuses this client at present; undefined when it does not, or nobody knows. */
  problem?(): string | undefined;
  /** Stops the workers of this instance as their signals would, waits for them and closes the store. */
  close(): Promise<void>;
}

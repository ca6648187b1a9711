import { dataToJson } from '../check-job.ts';
import { JobQueueError } from '../job-queue-error.ts';
import type { JobQueue } from '../job-queue.ts';
import { SqliteDatabase } from './database.ts';
import { jobsPath } from './files.ts';
import { JobNotifier } from './job-notifier.ts';
import { countJobs, failedJobs, findJob, insertJobs } from './jobs.ts';
import { deleteSchedule, putSchedule } from './schedules.ts';
import { SqliteWorker, type WorkerSettings } from './worker.ts';

export interface SqliteJobQueueOptions extends Partial<WorkerSettings> {
  /** The folder of jobs.db; created if it does not exist. */
  folder: string;
}

const defaults: WorkerSettings = {
  leaseMs: 30_000,
  pollMs: 250,
  maxLapses: 10,
  keepCompleted: 1000,
  keepFailed: 10_000,
  nowMs: Date.now,
};

/**
 * The embedded queue: one SQLite file, WAL, an fsync on each commit. Several processes of one machine may share it. Schedules know
 * `everyMs` only.
 */
export function createSqliteJobQueue({ folder, ...settings }: SqliteJobQueueOptions): JobQueue {
  const db = new SqliteDatabase(jobsPath(folder));
  const { nowMs = defaults.nowMs } = settings;
  const notifier = new JobNotifier();
  const closing = new AbortController();
  const workers = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;
  const open = (): SqliteDatabase => {
    if (closing.signal.aborted) throw new JobQueueError('closed', 'the job queue is closed');
    return db;
  };

  return {
    add: async (name, data, options = {}) => {
      const [id] = insertJobs(open(), [{ ...options, name, data }], nowMs());
      notifier.wake();
      return id!;
    },
    addMany: async (jobs) => {
      const ids = open().transaction(() => insertJobs(db, jobs, nowMs()));
      notifier.wake();
      return ids;
    },
    process: async (name, handler, { concurrency = 1, exclusive = false }, signal) => {
      const worker = new SqliteWorker(open(), { ...defaults, ...settings }, notifier, handler);
      const stopping = AbortSignal.any([signal, closing.signal]);
      // Not before it is in the set: the first handler may call close().
      const running = Promise.resolve().then(() => worker.run(name, concurrency, exclusive, stopping));
      workers.add(running);
      try {
        await running;
      } finally {
        workers.delete(running);
      }
    },
    schedule: async (id, schedule, name, data) => {
      open();
      if (!('everyMs' in schedule)) {
        throw new JobQueueError(
          'unsupported-schedule',
          `${id}: the embedded queue knows everyMs only, not cron`,
        );
      }
      if (!(Number.isSafeInteger(schedule.everyMs) && schedule.everyMs >= 1)) {
        throw new JobQueueError('unsupported-schedule', `${id}: everyMs must be a whole number from 1`);
      }
      putSchedule(db, { id, everyMs: schedule.everyMs, name, data: dataToJson(name, data) }, nowMs());
    },
    unschedule: async (id) => deleteSchedule(open(), id),
    counts: async (name) => countJobs(open(), name, nowMs()),
    get: async (id) => findJob(open(), id, nowMs()),
    failed: async (name, limit = 100) => failedJobs(open(), name, limit, nowMs()),
    retry: async (id) => {
      const changed = open().run(
        `UPDATE jobs SET state = 'waiting', run_at = ?, timed_at = ?, attempts_made = 0, lapses = 0, progress = 0, finished_at = NULL
         WHERE id = ? AND state = 'failed'`,
        nowMs(),
        nowMs(),
        id,
      );
      if (changed === 0) {
        const job = findJob(db, id, nowMs());
        if (job === undefined) throw new JobQueueError('job-not-found', `there is no job ${id}`);
        throw new JobQueueError('job-not-failed', `the job ${id} is ${job.state}, not failed`);
      }
      notifier.wake();
    },
    remove: async (id) => {
      if (open().run(`DELETE FROM jobs WHERE id = ? AND state <> 'active'`, id) > 0) return true;
      if (findJob(db, id, nowMs()) === undefined) return false;
      throw new JobQueueError('job-active', `the job ${id} is being worked on`);
    },
    close: async () => {
      closed ??= (async () => {
        closing.abort();
        await Promise.allSettled(workers);
        db.close();
      })();
      await closed;
    },
  };
}

export { JobQueueError, UnrecoverableJobError, type JobQueueErrorCode } from './job-queue-error.ts';
export type {
  Backoff,
  Job,
  JobCounts,
  JobHandler,
  JobOptions,
  JobQueue,
  JobState,
  NewJob,
  RunningJob,
  Schedule,
} from './job-queue.ts';
export { createSqliteJobQueue, type SqliteJobQueueOptions } from './sqlite.ts';
export { openJobQueue, type OpenJobQueueOptions } from './open.ts';

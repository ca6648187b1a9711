export { jobQueueErrors } from './errors.ts';
export {
  JobQueueError,
  RetryLaterError,
  UnrecoverableJobError,
  type JobQueueErrorCode,
} from './job-queue-error.ts';
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
export { createSqliteJobRecords } from './sqlite/records.ts';
export { createSqliteJobQueue, type SqliteJobQueueOptions } from './sqlite/sqlite-job-queue.ts';
export type { JobRecords, RecordsPage, RecordsUsage } from './job-records.ts';
export { redisOf } from './settings.ts';
export { openJobQueue, openJobRecords, type OpenJobQueueOptions } from './open.ts';
export { setAsideDamagedJobFiles } from './sqlite/files.ts';

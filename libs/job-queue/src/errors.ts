import { declareErrors } from '@logloom/errors';

/** What can go wrong with jobs. */
export const jobQueueErrors = declareErrors({
  'bad-job': {
    retriable: false,
    message: 'the job is invalid',
    where: 'log',
    cause: "A job's name, data or options are invalid.",
    action: 'Fix the caller; the message lists all problems.',
  },
  'unsupported-schedule': {
    retriable: false,
    message: 'the embedded queue does not support this schedule',
    where: 'log',
    cause:
      'The embedded queue was given a cron schedule, or an interval that is not a whole number of milliseconds.',
    action: 'Use `everyMs`, or set `REDIS_URL`.',
  },
  'job-not-found': {
    status: 404,
    retriable: false,
    message: 'there is no job with this id',
    where: 'HTTP, log',
    cause: 'No job has this id. Finished jobs are kept only for a while.',
    action: 'Use the id from the response that created the job.',
  },
  'job-not-failed': {
    status: 409,
    retriable: true,
    message: 'only a failed job can be retried',
    where: 'HTTP, log',
    cause: 'Only a failed job can be retried.',
    action: 'Wait for it to end: `GET /api/jobs/{id}`.',
  },
  'job-active': {
    retriable: true,
    message: 'an active job cannot be removed',
    where: 'log',
    cause: 'A running job cannot be removed.',
    action: 'Wait for it to end.',
  },
  'lease-lost': {
    retriable: true,
    message: 'the lease on the job was lost',
    where: 'log',
    cause:
      'A worker was delayed for so long that another may have taken over its job. Handlers are idempotent: nothing is done twice.',
    action: 'Nothing. If it occurs often, give the process more CPU.',
  },
  'queue-refused': {
    status: 503,
    retriable: true,
    message: 'the job queue refuses this client',
    where: 'HTTP, log',
    cause: 'Redis refuses the login, or the user lacks a permission; the message names the setting.',
    action:
      'Operators: fix what the message names (docs/engines.md). Everything that needs the queue is retried until it works.',
  },
  closed: {
    retriable: false,
    message: 'the queue is closed',
    where: 'log',
    cause: 'The queue was used after it was closed.',
    action: 'Report it.',
  },
});

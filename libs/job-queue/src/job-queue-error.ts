export type JobQueueErrorCode =
  | 'bad-job'
  | 'unsupported-schedule'
  | 'job-not-found'
  | 'job-not-failed'
  | 'job-active'
  | 'lease-lost'
  | 'closed';

export class JobQueueError extends Error {
  readonly code: JobQueueErrorCode;
  constructor(code: JobQueueErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JobQueueError';
    this.code = code;
  }
}

/** Thrown by a handler when trying again cannot help: the job fails at once. */
export class UnrecoverableJobError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnrecoverableJobError';
  }
}

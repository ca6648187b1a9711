import { CodedError, type CodeOf } from '@logloom/errors';
import { jobQueueErrors } from './errors.ts';

export type JobQueueErrorCode = CodeOf<typeof jobQueueErrors>;

export class JobQueueError extends CodedError<JobQueueErrorCode> {
  constructor(code: JobQueueErrorCode, message?: string, options?: ErrorOptions) {
    super(jobQueueErrors, code, message, options);
  }
}

/** Thrown by a handler when a retry cannot help: the job fails at once. */
export class UnrecoverableJobError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnrecoverableJobError';
  }
}

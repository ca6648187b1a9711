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

/** Thrown by a handler whose attempt has failed, and that knows when another is worth trying: it replaces the job's backoff this once. */
export class RetryLaterError extends Error {
  /** Milliseconds from now, 0 or more. */
  readonly afterMs: number;

  constructor(message: string, afterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RetryLaterError';
    this.afterMs = afterMs;
  }
}

import { archiveErrors } from '@logloom/archive';
import { authErrors } from '@logloom/auth';
import { CodedError, declareErrors, pickErrors, requestErrors, type CodeOf } from '@logloom/errors';
import { eventLogErrors } from '@logloom/event-log';
import { filterErrors } from '@logloom/filter';
import { jobQueueErrors } from '@logloom/job-queue';
import { searchStoreErrors } from '@logloom/search-store';
import { storageErrors } from '@logloom/sqlite';

/** What only the indexer and its API say. */
export const indexerErrors = declareErrors({
  'too-many-saved-filters': {
    status: 429,
    retriable: false,
    message: 'limit of saved filters, or of their evaluations, reached',
    where: 'HTTP',
    cause:
      'A principal has 100 saved filters, or 300 evaluations of them a minute; in all there may be 1,000, and 600 a minute.',
    action: 'Delete one, or take a larger `everyMs`.',
  },
  'jobs-unavailable': {
    status: 503,
    retriable: true,
    message: 'the job store does not respond',
    where: 'HTTP',
    cause: 'Redis, which keeps the jobs and saved filters, does not answer.',
    action: 'Repeat. As an operator look at `REDIS_URL`.',
  },
  'undecodable-record': {
    retriable: false,
    message: 'the record of the log is damaged, or it is not one of Logloom',
    where: 'dead letter',
    cause:
      'A record of `logs.events` or `logs.correlations` was not written by Logloom, or is damaged. The indexer passes it over.',
    action: 'Find who else writes to the topic; take its right to do so.',
  },
  'refused-by-store': {
    retriable: false,
    message: 'the search store can never accept the event or document; the archive has it',
    where: 'dead letter',
    cause:
      "The search store can never take this event or document: its mapping cannot read a field, or it is larger than the store takes. The message has the store's reason. The archive and the live tail have it all the same.",
    action: 'Check whether somebody changed the mapping of the indices; else send smaller events.',
  },
  redriven: {
    retriable: false,
    message: 'not a dead letter: the note of which ones a job has redriven',
    where: 'dead letter',
    cause:
      'Not a dead letter: the note in `logs.dead-letter` of which dead letters a redrive has taken (`docs/jobs.md`).',
    action: 'Nothing.',
  },
});

/** Every error of the search API and the indexer. */
export const errors = {
  ...indexerErrors,
  ...requestErrors,
  ...filterErrors,
  ...authErrors,
  ...searchStoreErrors,
  ...archiveErrors,
  ...storageErrors,
  ...pickErrors(jobQueueErrors, 'job-not-found', 'job-not-failed'),
  ...pickErrors(eventLogErrors, 'log-unavailable'),
};

export type ErrorCode = CodeOf<typeof errors>;

export interface ApiErrorDetails {
  parameter?: string;
  /** Where in the filter. */
  position?: number;
  /** The parameters that exist. */
  known?: readonly string[];
}

/** A request that is refused. `details` are what the response says besides code and message. */
export class ApiError extends CodedError<ErrorCode> {
  constructor(code: ErrorCode, message?: string, details: ApiErrorDetails = {}) {
    super(errors, code, message, { details });
  }
}

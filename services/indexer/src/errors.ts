import { archiveErrors } from '@logloom/archive';
import { authErrors } from '@logloom/auth';
import { CodedError, declareErrors, pickErrors, requestErrors, type CodeOf } from '@logloom/errors';
import { eventLogErrors } from '@logloom/event-log';
import { filterErrors } from '@logloom/filter';
import { jobQueueErrors } from '@logloom/job-queue';
import { searchStoreErrors } from '@logloom/search-store';
import { storageErrors } from '@logloom/sqlite';

/** The errors of the indexer and its API. */
export const indexerErrors = declareErrors({
  'too-many-saved-filters': {
    status: 429,
    retriable: false,
    message: 'limit of saved filters, or of their evaluations, reached',
    where: 'HTTP',
    cause:
      'One principal may have 100 saved filters with 300 evaluations per minute; in total there may be 1,000 with 600 per minute.',
    action: 'Delete one, or use a larger `everyMs`.',
  },
  'too-many-silences': {
    status: 429,
    retriable: false,
    message: 'limit of silences reached',
    where: 'HTTP',
    cause: 'There may be 1,000 silences that have not ended.',
    action: 'End some, or silence more alerts with one by a regular expression.',
  },
  'alert-resolved': {
    status: 409,
    retriable: false,
    message: 'the alert is resolved already',
    where: 'HTTP',
    cause: 'An acknowledgement ends with its alert, so one that is resolved cannot be acknowledged.',
    action: 'Nothing.',
  },
  'bad-sql': {
    status: 400,
    retriable: false,
    message: 'the statement cannot be run',
    where: 'HTTP, last line of a result',
    cause:
      'The SQL has an error, does not only read, or reaches for something other than the tables (docs/sql.md); the message says which.',
    action: 'Fix the statement. `DESCRIBE events` lists the columns of a table.',
  },
  'sql-limit': {
    status: 400,
    retriable: false,
    message: 'the statement reached a limit',
    where: 'HTTP, last line of a result',
    cause:
      'The statement ran longer, needed more memory, or returned more than `SQL_LIMIT_MS`, `SQL_MEMORY_BYTES`, `SQL_MAX_ROWS` or `SQL_MAX_BYTES` allow. Rows that came before are right, but not all.',
    action:
      'Read fewer rows (`WHERE timestamp >= …`), aggregate, or use `LIMIT`; for all events use `GET /api/export`.',
  },
  'sql-unavailable': {
    status: 400,
    retriable: false,
    message: 'SQL is run on the embedded store only; the events are in Elasticsearch',
    where: 'HTTP',
    cause: '`ELASTICSEARCH_URL` is set: the events are not in files that SQL could read.',
    action: 'Use `GET /api/aggregate`, `GET /api/export`, or the tools of Elasticsearch.',
  },
  'jobs-unavailable': {
    status: 503,
    retriable: true,
    message: 'the job store does not respond',
    where: 'HTTP',
    cause: 'Redis, which keeps the jobs and saved filters, does not answer.',
    action: 'Retry. Operators: check `REDIS_URL`.',
  },
  'undecodable-record': {
    retriable: false,
    message: 'the record of the log is damaged, or it is not one of Logloom',
    where: 'dead letter',
    cause:
      'A record of `logs.events` or `logs.correlations` was not written by Logloom, or is damaged. The indexer skips it.',
    action: 'Find out what else writes to the topic, and revoke its permission.',
  },
  'refused-by-store': {
    retriable: false,
    message: 'the search store can never accept the event or document; the archive has it',
    where: 'dead letter',
    cause:
      "The search store can never accept this event or document: its mapping does not fit a field, or it is too large. The message has the store's reason. The archive and the live tail have it nevertheless.",
    action: 'Check whether the mapping of the indices was changed; otherwise send smaller events.',
  },
  'view-lost': {
    // The write that finds it does not succeed by being repeated: the partitions have to be opened again.
    retriable: false,
    message: 'a view lost its data; it is filled again from the log',
    where: 'log',
    cause:
      'The search store or the archive lost data while the indexer ran: its files, indices or collections were deleted.',
    action: 'Nothing: the indexer fills the view again from the log. Find out what deleted the data.',
  },
  redriven: {
    retriable: false,
    message: 'not a dead letter: the note of which ones a job has redriven',
    where: 'dead letter',
    cause:
      'Not a dead letter: a record in `logs.dead-letter` that says which dead letters a redrive has taken (`docs/jobs.md`).',
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
  ...pickErrors(jobQueueErrors, 'job-not-found', 'job-not-failed', 'queue-refused'),
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

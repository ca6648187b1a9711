import { authErrors } from '@logloom/auth';

/** The errors of the search API and the indexer: HTTP status and whether the same request may succeed later. */
export const errors = {
  'bad-filter': {
    status: 400,
    retriable: false,
    meaning: 'the filter `q` cannot be read; `position` is the place',
  },
  'filter-too-complex': {
    status: 400,
    retriable: false,
    meaning: 'the filter `q` is larger than one may be',
  },
  ...authErrors,
  'bad-parameter': { status: 400, retriable: false, meaning: 'a parameter has a value that it cannot have' },
  'bad-cursor': { status: 400, retriable: false, meaning: '`cursor` is none that this search gave' },
  'too-many-buckets': { status: 400, retriable: false, meaning: 'the interval is too small for the range' },
  'unknown-field': { status: 400, retriable: false, meaning: 'no values are counted for this field' },
  'not-found': { status: 404, retriable: false, meaning: 'there is nothing under this id, or not yet' },
  'job-not-found': {
    status: 404,
    retriable: false,
    meaning: 'there is no job under this id, or not any more',
  },
  'job-not-failed': { status: 409, retriable: true, meaning: 'only a failed job can be put through again' },
  'too-many-saved-filters': {
    status: 429,
    retriable: false,
    meaning: 'there are as many saved filters, or evaluations of them, as there may be',
  },
  'too-many-requests': {
    status: 429,
    retriable: true,
    meaning: 'too many requests are in work or waiting, of this holder or in all',
  },
  /** Not an answer: nobody is there to take it. */
  cancelled: { status: 0, retriable: false, meaning: 'who asked had gone; the query was ended' },
  timeout: { status: 503, retriable: true, meaning: 'the query ran too long; a smaller range may do' },
  'store-unavailable': { status: 503, retriable: true, meaning: 'the search store cannot be reached' },
  'archive-unavailable': { status: 503, retriable: true, meaning: 'the archive cannot be reached' },
  'jobs-unavailable': { status: 503, retriable: true, meaning: 'the store of the jobs does not answer' },
  'log-unavailable': { status: 503, retriable: true, meaning: 'the log cannot be reached' },
  'internal-error': { status: 500, retriable: false, meaning: 'a fault of Logloom; its log has the details' },
  /** Not an answer: the code of a dead letter. */
  'undecodable-record': {
    status: 0,
    retriable: false,
    meaning: 'a record of the log is none of ours or damaged',
  },
  /** Not an answer: the code of a dead letter. */
  'refused-by-store': {
    status: 0,
    retriable: false,
    meaning: 'the search store can never take the event or document; the archive has it',
  },
  /** Not an answer: the code of a record among the dead letters. */
  redriven: {
    status: 0,
    retriable: false,
    meaning: 'no dead letter, but the note of which ones a job has put through again',
  },
} as const;

export type ErrorCode = keyof typeof errors;

export interface ApiErrorDetails {
  parameter?: string;
  /** Where in the filter. */
  position?: number;
  /** The parameters that there are. */
  known?: readonly string[];
}

/** A request that is refused. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  /** What the answer says besides code and message: the parameter, the position in the filter. */
  readonly details: ApiErrorDetails;
  constructor(code: ErrorCode, message: string, details: ApiErrorDetails = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.details = details;
  }
}

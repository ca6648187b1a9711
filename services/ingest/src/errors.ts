import { authErrors, guardErrors } from '@logloom/auth';
import { CodedError, type CodedErrorOptions, messageOf, pickErrors, requestErrors } from '@logloom/errors';
import { eventLogErrors } from '@logloom/event-log';
import { storageErrors } from '@logloom/sqlite';
import { eventErrors } from './event-errors.ts';
import { ingestErrors } from './request-errors.ts';

export { eventErrors, ingestErrors };

/** Every reason for which ingest rejects an event or refuses a request. The codes are part of the outside contract. */
export const errors = {
  ...eventErrors,
  ...ingestErrors,
  ...guardErrors,
  ...storageErrors,
  ...pickErrors(authErrors, 'unauthorized', 'auth-unavailable'),
  ...pickErrors(eventLogErrors, 'log-unavailable'),
  ...pickErrors(
    requestErrors,
    'bad-json',
    'bad-request',
    'not-found',
    'method-not-allowed',
    'request-timeout',
    'bad-parameter',
    'body-too-large',
    'headers-too-large',
    'unsupported-type',
    'starting',
    'draining',
    'degraded',
    'internal-error',
  ),
};

export type ErrorCode = keyof typeof errors;

/** Why one event was refused. */
export interface Rejection {
  code: ErrorCode;
  message: string;
}

/** Returns a rejection; `detail` replaces the message of the catalogue. */
export function reject(code: ErrorCode, detail?: string): Rejection {
  return { code, message: detail ?? messageOf(errors[code]) };
}

/** Thrown by a reader where what it reads cannot be an event. `detail` replaces the message of the catalogue. */
export class RejectedError extends CodedError<ErrorCode> {
  constructor(code: ErrorCode, detail?: string) {
    super(errors, code, detail);
  }

  get rejection(): Rejection {
    return { code: this.code, message: this.message };
  }
}

/** A request that fails as a whole. */
export class IngestError extends CodedError<ErrorCode> {
  /** When a retriable one may be sent again. */
  readonly retryAfterSeconds: number;
  constructor(
    code: ErrorCode,
    detail?: string,
    options?: CodedErrorOptions & { retryAfterSeconds?: number },
  ) {
    super(errors, code, detail, options);
    this.retryAfterSeconds = options?.retryAfterSeconds ?? 1;
  }
}

/** How a request ends whose sender closed the connection or the stream. */
const closedByClient = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Converts fastify's own errors: a content type that cannot be parsed, a request that broke off. */
export function asIngestError(error: Error & { statusCode?: number; code?: string }): IngestError {
  if (error instanceof IngestError) return error;
  if (error instanceof CodedError && error.code === 'bad-request')
    return new IngestError('bad-request', error.message);
  if (error.statusCode === 415) return new IngestError('unsupported-type');
  const isClients = (error.statusCode ?? 500) < 500 || closedByClient.has(error.code ?? '');
  return new IngestError(isClients ? 'bad-request' : 'internal-error', isClients ? error.message : undefined);
}

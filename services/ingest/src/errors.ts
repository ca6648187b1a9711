import { guardErrors } from '@logloom/auth';

interface ErrorEntry {
  /** The HTTP status when the whole request fails with it. */
  status: number;
  /** Whether the same input may be accepted later. */
  retriable: boolean;
  message: string;
}

const entry = (status: number, retriable: boolean, message: string): ErrorEntry => ({
  status,
  retriable,
  message,
});

/** Every reason for which ingest refuses an event or a request. The codes are part of the outside contract. */
export const errors = {
  // An event.
  'bad-json': entry(400, false, 'the text is not JSON'),
  'not-an-object': entry(400, false, 'an event is a JSON object'),
  'empty-event': entry(400, false, 'the object is empty'),
  'bad-timestamp': entry(400, false, 'the time is in no known form'),
  'timestamp-out-of-range': entry(400, false, 'the time is before 1970 or more than 24 hours ahead'),
  'bad-level': entry(400, false, 'a level is a text or a number'),
  'bad-field': entry(400, false, 'a field has the wrong type or is too long'),
  'too-deep': entry(400, false, 'the event is nested deeper than 64 levels'),
  'event-too-large': entry(413, false, 'the event is larger than INGEST_MAX_EVENT_BYTES'),
  'invalid-utf8': entry(400, false, 'the text is not UTF-8'),
  'many-rejected': entry(400, false, 'many events of one request were refused; they share a dead letter'),
  'too-many-rejected': entry(
    400,
    false,
    'too many events before it in the request were refused: it was not read',
  ),
  'incomplete-message': entry(400, false, 'the connection ended in the middle of the message'),
  'bad-protobuf': entry(400, false, 'the bytes are not the protobuf message that they should be'),
  'wrong-shape': entry(400, false, 'the JSON has not the shape that the path takes'),
  'unsupported-action': entry(400, false, 'events are only added: no update, no delete'),
  'bad-avro': entry(400, false, 'the record is not a LogEvent in Avro'),
  'service-not-allowed': entry(403, false, 'the key may not send events of this service'),
  'key-unknown': entry(403, false, 'the key that it was sent with is not known any more'),
  // A request.
  'empty-body': entry(400, false, 'the body holds no event'),
  'nothing-readable': entry(400, false, 'nothing in the body could be read as an event'),
  'bad-encoding': entry(400, false, 'the body could not be unpacked'),
  'bad-producer': entry(400, false, 'Logloom-Producer, Logloom-Sequence or Logloom-Epoch is wrong'),
  'producer-fenced': entry(409, false, 'the producer has gone on in a higher epoch'),
  'bad-request': entry(400, false, 'the request could not be read'),
  'not-found': entry(404, false, 'there is no such path'),
  'method-not-allowed': entry(405, false, 'the path does not know this method'),
  'body-too-large': entry(413, false, 'the unpacked body is larger than INGEST_MAX_BODY_BYTES'),
  'too-many-events': entry(413, false, 'the body holds more events than INGEST_MAX_REQUEST_EVENTS'),
  'body-too-complex': entry(413, false, 'the body needs more memory to be read than a request may have'),
  'unsupported-type': entry(415, false, 'this path does not read the content type'),
  'unsupported-encoding': entry(415, false, 'the content encoding is none of gzip, deflate, zstd and br'),
  'bad-host': entry(421, false, guardErrors['bad-host'].message),
  'bad-origin': entry(403, false, 'web pages may not send here, except those of this host'),
  unauthorized: entry(401, false, 'no key came with the request, or none that is known'),
  'auth-unavailable': entry(503, true, 'the keys cannot be read'),
  'quota-exceeded': entry(429, true, 'the key, the service or the address has sent more than its quota'),
  overloaded: entry(429, true, 'too many bytes are in work'),
  internal: entry(500, false, 'an error of ours; the log of the service says more'),
  starting: entry(503, true, 'the service is starting'),
  draining: entry(503, true, 'the service is stopping'),
  'disk-full': entry(503, true, 'the disk is full: nothing can be stored until there is room'),
  'read-only': entry(503, true, 'the data folder cannot be written'),
  'log-unavailable': entry(503, true, 'the log did not take the events'),
  // The start.
  'port-taken': entry(503, false, 'the port is taken by another program'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errors;

/** Why one event was refused. */
export interface Rejection {
  code: ErrorCode;
  message: string;
}

/** A rejection; `detail` says more than the catalogue's text. */
export function reject(code: ErrorCode, detail?: string): Rejection {
  return { code, message: detail ?? errors[code].message };
}

/** Thrown by a reader where what it reads cannot be an event. */
export class RejectedError extends Error {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    super(rejection.message);
    this.name = 'RejectedError';
    this.rejection = rejection;
  }
}

/** A request that fails as a whole. */
export class IngestError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retriable: boolean;
  /** When a retriable one may be sent again. */
  readonly retryAfterSeconds: number;
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions & { retryAfterSeconds?: number }) {
    super(detail ?? errors[code].message, options);
    this.name = 'IngestError';
    this.code = code;
    this.status = errors[code].status;
    this.retriable = errors[code].retriable;
    this.retryAfterSeconds = options?.retryAfterSeconds ?? 1;
  }
}

/** fastify's own errors: a content type that cannot be parsed, a request that broke off. */
export function asIngestError(error: Error & { statusCode?: number; code?: string }): IngestError {
  if (error instanceof IngestError) return error;
  if (error.statusCode === 415) return new IngestError('unsupported-type');
  const isClients = (error.statusCode ?? 500) < 500 || error.code === 'ECONNRESET';
  return new IngestError(isClients ? 'bad-request' : 'internal', isClients ? error.message : undefined);
}

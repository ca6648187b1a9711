import { declareErrors } from './declare-errors.ts';

/** The details of `bad-parameter` for a parameter that does not exist. */
export interface UnknownParameter {
  parameter: string;
  /** The parameters that the path accepts. */
  known: readonly string[];
}

/** The errors that every server of Logloom may respond with. */
export const requestErrors = declareErrors({
  'bad-request': {
    status: 400,
    retriable: false,
    message: 'the request is not valid HTTP/1.1, or it broke off',
    where: 'HTTP',
    cause: 'The request broke off or is not valid HTTP/1.1, or a WebSocket handshake is incomplete.',
    action: 'Send it again. If the error persists, check the client and any proxy in between.',
  },
  'bad-json': {
    status: 400,
    retriable: false,
    message: 'the text is not JSON',
    where:
      'rejected line, dead letter; HTTP for an array that is not closed or has a broken element, and for a body of `/api`',
    cause: 'The text is not JSON.',
    action:
      'Send one JSON value per line. An array is accepted as a whole or not at all: send NDJSON if single events may be broken.',
  },
  'bad-parameter': {
    status: 400,
    retriable: false,
    message: ({ parameter, known }: UnknownParameter) =>
      `there is no parameter ${JSON.stringify(parameter)}; ` +
      (known.length === 0 ? 'it takes none' : `known are ${known.join(', ')}`),
    where: 'HTTP',
    cause:
      'A parameter has an invalid value, or no parameter has this name; `parameter` names it, and `known` lists the names that exist.',
    action: 'Fix the value, or use one of the names in `known`.',
  },
  'bad-cursor': {
    status: 400,
    retriable: false,
    message: 'the cursor belongs to another query or stream, or it is incomplete',
    where: 'HTTP, live error',
    cause: 'The cursor was not returned by this search or this stream, or it is incomplete.',
    action: 'Pass `next` or `cursor` unchanged from a response to the same query, or start without a cursor.',
  },
  'not-found': {
    status: 404,
    retriable: false,
    message: 'there is nothing at this path',
    where: 'HTTP',
    cause:
      'The path does not exist. In the search API also: no event or correlation has this id, or it is not indexed yet.',
    action:
      'Check the path. A new event is found once the indexer has reached it: `logloom status` shows the lag.',
  },
  'method-not-allowed': {
    status: 405,
    retriable: false,
    message: 'this path does not support the method',
    where: 'HTTP',
    cause: 'The path exists, but not with this method.',
    action: 'Use a method that `Allow` names.',
  },
  'request-timeout': {
    status: 408,
    retriable: true,
    message: 'the request took too long to arrive',
    where: 'HTTP',
    cause:
      'The request did not arrive completely within `LIVE_REQUEST_MS`, or at ingest within `INGEST_REQUEST_MS`.',
    action: 'Retry. Let a proxy in front buffer requests.',
  },
  'body-too-large': {
    status: 413,
    retriable: false,
    message: 'the body is larger than the limit',
    where: 'HTTP',
    cause: 'The unpacked body is larger than `INGEST_MAX_BODY_BYTES`; outside ingest, larger than 1 MiB.',
    action: 'Send smaller batches.',
  },
  'unsupported-type': {
    status: 415,
    retriable: false,
    message: 'this path does not read the content type',
    where: 'HTTP',
    cause:
      'The path does not read this content type. `/ingest` reads JSON, NDJSON and plain text; `/api` reads JSON.',
    action: 'Send `application/x-ndjson` or `application/json`.',
  },
  'headers-too-large': {
    status: 431,
    retriable: false,
    message: 'the headers are larger than the limit',
    where: 'HTTP',
    cause: 'The headers of the request are larger than 16 KiB.',
    action: 'Send smaller headers. The usual cause is cookies of other pages on the same host.',
  },
  'too-many-requests': {
    status: 429,
    retriable: true,
    message: 'too many requests are running or waiting; try again',
    where: 'HTTP',
    cause:
      'Too many requests to `/api` are running or waiting, of one principal (or address) or in total; or the client does not read its responses.',
    action: 'Retry after `Retry-After`, and read the responses.',
  },
  'internal-error': {
    status: 500,
    retriable: false,
    message: 'a fault of Logloom; its log has the details',
    where: 'HTTP',
    cause: 'A bug in Logloom.',
    action: "Report it, with the error from the service's log.",
  },
  starting: {
    status: 503,
    retriable: true,
    message: 'the service is starting',
    where: 'HTTP',
    cause: 'The service is still reading the log and accepts no work yet.',
    action: 'Retry after `Retry-After`. `GET /health/ready` returns 200 once it is ready.',
  },
  draining: {
    status: 503,
    retriable: true,
    message: 'the service is stopping',
    where: 'HTTP',
    cause: 'The service is stopping.',
    action: 'Retry: another instance, or the restarted one, will accept the request.',
  },
  degraded: {
    status: 503,
    retriable: true,
    message: 'a part that the service depends on does not work; `problems` says which',
    where: 'HTTP, at `/health/ready`',
    cause:
      'An engine or a file that the service depends on does not work at present. `problems` describes which.',
    action: 'Operators: check what `problems` names. The service recovers by itself.',
  },
});

import { declareErrors } from '@logloom/errors';

/** Why a request of a sender, or the start of ingest, fails as a whole. */
export const ingestErrors = declareErrors({
  'empty-body': {
    status: 400,
    retriable: false,
    message: 'the body holds no event',
    where: 'HTTP',
    cause: 'The body holds no event.',
    action: 'Send one.',
  },
  'nothing-readable': {
    status: 400,
    retriable: false,
    message: 'nothing in the body could be read as an event',
    where: 'HTTP',
    cause: 'Every event of the body was rejected; `rejected` says why.',
    action: 'See the codes in `rejected`.',
  },
  'bad-encoding': {
    status: 400,
    retriable: false,
    message: 'the body could not be unpacked',
    where: 'HTTP',
    cause: 'The body cannot be unpacked as its `Content-Encoding` says.',
    action: 'Compress it correctly, or omit the header if it is not compressed.',
  },
  'bad-producer': {
    status: 400,
    retriable: false,
    message: 'Logloom-Producer, Logloom-Sequence or Logloom-Epoch is wrong',
    where: 'HTTP',
    cause:
      'Only one of `Logloom-Producer` and `Logloom-Sequence` was sent, or one of them or `Logloom-Epoch` is malformed.',
    action: 'Send both: an id of 1 to 64 letters, digits, `-`, `_`, and the number of the first event.',
  },
  'bad-time-zone': {
    status: 400,
    retriable: false,
    message: 'there is no such time zone',
    where: 'HTTP 400',
    cause: 'The header `Logloom-Time-Zone`, or the query parameter `time-zone`, names no time zone.',
    action: 'Send a name such as `Europe/Berlin` or `CET`, or an offset such as `+02:00`.',
  },
  'bad-backfill': {
    status: 400,
    retriable: false,
    message: 'Logloom-Backfill is wrong',
    where: 'HTTP',
    cause: 'The header `Logloom-Backfill`, or the query parameter `backfill`, is neither `true` nor `false`.',
    action: 'Send `true` for a backfill; or omit it.',
  },
  'bad-loadtest': {
    status: 400,
    retriable: false,
    message: 'Logloom-Loadtest is wrong',
    where: 'HTTP',
    cause: 'The header `Logloom-Loadtest` names no run of a load test.',
    action: 'Send 1 to 64 letters, digits, `-`, `_`; or omit the header.',
  },
  'loadtest-not-allowed': {
    status: 403,
    retriable: false,
    message: 'the sender may not mark events as those of a load test',
    where: 'HTTP',
    cause:
      'The request has the header `Logloom-Loadtest`, which hides its events from users, and its key has no `loadtest: true`, or `INGEST_LOADTEST` is `false`. Nothing of it was accepted.',
    action: 'Send without the header, or give the key `loadtest: true` in the file `INGEST_KEYS`.',
  },
  'producer-fenced': {
    status: 409,
    retriable: false,
    message: 'the producer has continued in a higher epoch',
    where: 'HTTP',
    cause:
      'The producer has already sent with a higher `Logloom-Epoch`: another instance has replaced this sender. Nothing of the request was accepted.',
    action: 'Stop sending. A sender that restarts uses a higher epoch.',
  },
  'too-many-events': {
    status: 413,
    retriable: false,
    message: 'the body holds more events than INGEST_MAX_REQUEST_EVENTS',
    where: 'HTTP',
    cause:
      'The body holds more than `INGEST_MAX_REQUEST_EVENTS` lines, elements, items or records; nothing of it was accepted.',
    action: 'Send smaller batches.',
  },
  'body-too-complex': {
    status: 413,
    retriable: false,
    message: 'reading the body needs more memory than a request may have',
    where: 'HTTP',
    cause:
      'Parsed, the body needs more memory than all requests may have together (`INGEST_MAX_PENDING_BYTES`), for example because of millions of tiny values. Nothing of it was accepted.',
    action: 'Send smaller batches.',
  },
  'unsupported-encoding': {
    status: 415,
    retriable: false,
    message: 'the content encoding is none of gzip, deflate, zstd and br',
    where: 'HTTP',
    cause: 'The content encoding is none of gzip, deflate, zstd and br.',
    action: 'Use exactly one of them.',
  },
  'quota-exceeded': {
    status: 429,
    retriable: true,
    message: 'the key, the service or the address has exceeded its quota',
    where: 'HTTP, item of `_bulk`',
    cause:
      "The key, a service in the request or the sender's address has sent more events or bytes than its quota ([limits](limits.md)); others are not affected. Nothing of the request, or of the item, was accepted.",
    action:
      'Retry after `Retry-After`, which says when there is room again. Operators: check `logloom_ingest_quota_refused_requests_total{key}` and `logloom_ingest_quota_refusals_total{by,receiver}`.',
  },
  overloaded: {
    status: 429,
    retriable: true,
    message: 'requests in work hold all the memory that they may have',
    where: 'HTTP',
    cause: 'Requests in progress occupy `INGEST_MAX_PENDING_BYTES`: the log cannot keep up.',
    action:
      "Retry after `Retry-After`, and slow down. If the error persists, check the log's disk or brokers.",
  },
  'port-taken': {
    retriable: false,
    message: 'another program has the port',
    where: 'start',
    cause:
      'Another program uses the port of a receiver (`SYSLOG_PORT`, `OTLP_GRPC_PORT`, `FORWARD_PORT`, `GELF_PORT`, `SYSLOG_TLS_PORT`), or this user may not bind it. Where nobody has asked for the receiver, Logloom continues without it and logs a warning: `SYSLOG_PORT` is the default in the one-process mode, or one of the others is unset.',
    action: 'Stop the other program, set another port, or set 0 to turn the receiver off.',
  },
});

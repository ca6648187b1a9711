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
    action: 'Compress it anew; leave the header out when it is not compressed.',
  },
  'bad-producer': {
    status: 400,
    retriable: false,
    message: 'Logloom-Producer, Logloom-Sequence or Logloom-Epoch is wrong',
    where: 'HTTP',
    cause:
      '`Logloom-Producer` or `Logloom-Sequence` is missing beside the other, or one of them or `Logloom-Epoch` is malformed.',
    action: 'Send both: an id of 1 to 64 letters, digits, `-`, `_`, and the number of the first event.',
  },
  'producer-fenced': {
    status: 409,
    retriable: false,
    message: 'the producer has gone on in a higher epoch',
    where: 'HTTP',
    cause:
      'The producer has sent in a higher `Logloom-Epoch` before: another instance has replaced the sender. Nothing of the request was taken.',
    action: 'Stop sending; a sender that begins anew takes a higher epoch.',
  },
  'too-many-events': {
    status: 413,
    retriable: false,
    message: 'the body holds more events than INGEST_MAX_REQUEST_EVENTS',
    where: 'HTTP',
    cause:
      'The body holds more than `INGEST_MAX_REQUEST_EVENTS` lines, elements, items or records; nothing of it was taken.',
    action: 'Send smaller batches.',
  },
  'body-too-complex': {
    status: 413,
    retriable: false,
    message: 'reading the body needs more memory than a request may have',
    where: 'HTTP',
    cause:
      'Taken apart, the body needs more memory than all requests may have together (`INGEST_MAX_PENDING_BYTES`): millions of tiny values, say. Nothing of it was taken.',
    action: 'Send smaller batches.',
  },
  'unsupported-encoding': {
    status: 415,
    retriable: false,
    message: 'the content encoding is none of gzip, deflate, zstd and br',
    where: 'HTTP',
    cause: 'The content encoding is none of gzip, deflate, zstd and br.',
    action: 'Use one of them, one only.',
  },
  'quota-exceeded': {
    status: 429,
    retriable: true,
    message: 'the key, the service or the address has exceeded its quota',
    where: 'HTTP, item of `_bulk`',
    cause:
      "The key, a service in the request or the sender's address has sent more events or bytes than its quota ([limits](limits.md)); others are not concerned. Nothing of the request, or of the item, was taken.",
    action:
      'Repeat after `Retry-After`, which says when there is room again. As an operator look at `logloom_ingest_quota_refused_requests_total{key}` and `logloom_ingest_quota_refusals_total{by,door}`.',
  },
  overloaded: {
    status: 429,
    retriable: true,
    message: 'requests in work hold all the memory that they may have',
    where: 'HTTP',
    cause: 'Requests in work hold `INGEST_MAX_PENDING_BYTES`: the log cannot keep up.',
    action: "Repeat after `Retry-After`, and slow down. When it stays, look at the log's disk or brokers.",
  },
  internal: {
    status: 500,
    retriable: false,
    message: 'a fault of Logloom; the log of the service has the details',
    where: 'HTTP',
    cause: 'A fault of Logloom.',
    action: "Report it with what the service's log says.",
  },
  'port-taken': {
    retriable: false,
    message: 'another program has the port',
    where: 'start',
    cause:
      'Another program has `SYSLOG_PORT`, for TCP or UDP, or this user may not take it. The one-process mode goes on without syslog, with a warning, when it is the default port.',
    action: 'Stop the other program, set another port, or 0 for no syslog.',
  },
});

import { declareErrors } from '@logloom/errors';

/** What can go wrong with a search. */
export const searchStoreErrors = declareErrors({
  'too-many-buckets': {
    status: 400,
    retriable: false,
    message: 'the interval is too small for the range',
    where: 'HTTP',
    cause: "The histogram's interval is too small for its range.",
    action: 'Take a larger interval, a shorter range, or no interval: then one is chosen.',
  },
  'unknown-field': {
    status: 400,
    retriable: false,
    message: 'no values are counted for this field',
    where: 'HTTP',
    cause: 'No values are counted for the field.',
    action: '`GET /api/fields` lists the names.',
  },
  timeout: {
    status: 503,
    retriable: true,
    message: 'the query ran too long; a smaller range may do',
    where: 'HTTP',
    cause: 'The query ran too long.',
    action: 'Repeat with a shorter range or a narrower filter.',
  },
  cancelled: {
    retriable: false,
    message: 'the client closed the connection; the query was stopped',
    where: 'log',
    cause: 'The client closed the connection; the query was stopped. No response was sent.',
    action: 'Nothing.',
  },
  'store-unavailable': {
    status: 503,
    retriable: true,
    message: 'the search store cannot be reached',
    where: 'HTTP, log',
    cause: 'Elasticsearch or the embedded search store cannot be reached or opened.',
    action:
      'Repeat. As an operator look at `ELASTICSEARCH_URL` or the disk; the indexer tries again until it works, and loses nothing.',
  },
});

import { declareErrors } from '@logloom/errors';

/** What can go wrong with a search. */
export const searchStoreErrors = declareErrors({
  'too-many-buckets': {
    status: 400,
    retriable: false,
    message: 'the interval is too small for the range',
    where: 'HTTP',
    cause: "The histogram's interval is too small for its range.",
    action: 'Use a larger interval, a shorter range, or no interval: then Logloom chooses one.',
  },
  'too-many-groups': {
    status: 400,
    retriable: false,
    message: 'too many groups to aggregate',
    where: 'HTTP',
    cause: 'The events have more groups, or more different values, than the store aggregates at once.',
    action: 'Group by fewer fields or by one with fewer values, narrow the filter, or use a shorter range.',
  },
  'unknown-field': {
    status: 400,
    retriable: false,
    message: 'no values are counted for this field',
    where: 'HTTP',
    cause: 'Logloom does not count values of this field.',
    action: '`GET /api/fields` lists the fields that it counts.',
  },
  timeout: {
    status: 503,
    retriable: true,
    message: 'the query ran too long; a smaller range may do',
    where: 'HTTP',
    cause: 'The query took too long.',
    action: 'Retry with a shorter range or a narrower filter.',
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
      'Retry. Operators: check `ELASTICSEARCH_URL` or the disk; the indexer retries until it works, and loses nothing.',
  },
});

import { declareErrors } from '@logloom/errors';

/** Why a filter is refused. */
export const filterErrors = declareErrors({
  'bad-filter': {
    status: 400,
    retriable: false,
    message: 'the filter cannot be parsed',
    where: 'HTTP, live error',
    cause:
      'The filter is not Lucene syntax as `libs/filter` defines it, is too long, or uses a field that this query does not have.',
    action:
      'Fix the filter at `position`, an offset in UTF-16 units. `libs/filter/README.md` defines the language.',
  },
  'filter-too-complex': {
    status: 400,
    retriable: false,
    message: 'the filter exceeds a limit on its size',
    where: 'HTTP, live error',
    cause:
      'The filter has more conditions, nesting or wildcards than `LIVE_FILTER_TERMS`, `LIVE_FILTER_DEPTH` and `LIVE_FILTER_WILDCARDS` allow; the message names the limit.',
    action: 'Simplify the filter, or split it over several subscriptions. Operators: raise the limit.',
  },
});

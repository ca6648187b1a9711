import { errors } from '@elastic/elasticsearch';
import { accessFault } from './access.ts';
import { SearchStoreError } from '../search-store.ts';

/** Whether a status means that a later call may succeed. */
export function isBusy(status: number): boolean {
  return status === 429 || status >= 500;
}

/** The port's error for a failed call to Elasticsearch; faults of Logloom or of the settings are returned unchanged. */
export function asStoreError(cause: unknown): Error {
  if (cause instanceof errors.TimeoutError)
    return new SearchStoreError('timeout', 'Elasticsearch (ELASTICSEARCH_URL) did not answer in time', {
      cause,
    });
  if (cause instanceof errors.ConnectionError || cause instanceof errors.NoLivingConnectionsError)
    return new SearchStoreError(
      'store-unavailable',
      `Elasticsearch (ELASTICSEARCH_URL) cannot be reached: ${accessFault(cause) ?? cause.message}`,
      {
        cause,
      },
    );
  if (!(cause instanceof errors.ResponseError)) return cause as Error;
  const text = JSON.stringify(cause.body ?? '');
  if (/"too_many_(?:nested_)?clauses"|maxClauseCount|max_clause_count/.test(text))
    return new SearchStoreError('bad-filter', 'too many words match a wildcard of the filter', { cause });
  if (/search_timeout_exception|Time exceeded/.test(text))
    return new SearchStoreError('timeout', 'the query ran too long', { cause });
  if (isBusy(cause.statusCode ?? 0))
    return new SearchStoreError(
      'store-unavailable',
      `Elasticsearch (ELASTICSEARCH_URL) answered ${cause.message}`,
      { cause },
    );
  // It may be mended meanwhile, on either side.
  const fault = accessFault(cause);
  if (fault !== undefined)
    return new SearchStoreError('store-unavailable', `Elasticsearch (ELASTICSEARCH_URL): ${fault}`, {
      cause,
    });
  return cause;
}

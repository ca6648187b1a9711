import { errors, type Client, type estypes } from '@elastic/elasticsearch';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelledError, currentCancellation, throwIfCancelled } from '../cancellation.ts';
import { SearchStoreError } from '../search-store.ts';
import { asStoreError } from './errors.ts';

/** The client's type includes undefined, which a query never is. */
export type Query = NonNullable<estypes.QueryDslQueryContainer>;

export type SearchResponse<Source, Aggregations> = Pick<
  estypes.SearchResponse<Source, Aggregations>,
  'hits' | 'aggregations'
>;

/** Runs a search under the store's limits; values.ts uses it without knowing the client. */
export type RunSearch = <Source, Aggregations>(
  request: estypes.SearchRequest,
) => Promise<SearchResponse<Source, Aggregations>>;

/** The server ends a query itself at its limit; the client waits this much longer for the answer, ms. */
const answerGraceMs = 5000;

/** A new index, or one of a server that has just started, cannot be searched until its shards are started: 503 for a moment. */
const firstWaitMs = 50;
const lastWaitMs = 1600;

/**
 * Runs one search. A missing index has no documents; a shard that cannot answer makes the whole search fail, because its documents would
 * seem to be gone. Throws SearchStoreError, and AnswerTooLarge for an answer larger than `maxBytes`.
 */
export async function runSearch<Source, Aggregations>(
  client: Client,
  request: estypes.SearchRequest,
  queryLimitMs: number,
  maxBytes?: number,
): Promise<SearchResponse<Source, Aggregations>> {
  const conditions = { ignore_unavailable: true, allow_partial_search_results: false };
  const signal = currentCancellation()?.signal;
  for (let wait = firstWaitMs; ; wait *= 2) {
    throwIfCancelled();
    try {
      const response = await client.search<Source, Aggregations>(
        { ...conditions, timeout: `${queryLimitMs}ms`, ...request },
        {
          requestTimeout: queryLimitMs + answerGraceMs,
          ...(signal === undefined ? {} : { signal }),
          ...(maxBytes === undefined ? {} : { maxResponseSize: maxBytes }),
        },
      );
      if (!response.timed_out) return response;
      throw new SearchStoreError('timeout', `the query ran longer than ${queryLimitMs} ms`);
    } catch (cause) {
      if (cause instanceof errors.RequestAbortedError) {
        if (signal?.aborted === true) throw cancelledError(cause);
        throw new AnswerTooLarge('the answer is larger than the limit', { cause });
      }
      if (!shardsAreMissing(cause) || wait > lastWaitMs) throw asStoreError(cause);
      await sleep(wait);
    }
  }
}

/** Fewer documents have to be requested. */
export class AnswerTooLarge extends Error {}

function shardsAreMissing(cause: unknown): boolean {
  return cause instanceof errors.ResponseError && cause.statusCode === 503;
}

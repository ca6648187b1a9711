import { errors, type Client, type estypes } from '@elastic/elasticsearch';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelledError, currentCancellation, throwIfCancelled } from '../cancellation.ts';
import { SearchStoreError } from '../search-store.ts';
import { asStoreError } from './errors.ts';

/** The client's type has an undefined in it that no query may be. */
export type Query = NonNullable<estypes.QueryDslQueryContainer>;

export type SearchResponse<Source, Aggregations> = Pick<
  estypes.SearchResponse<Source, Aggregations>,
  'hits' | 'aggregations'
>;

/** Runs a search under the store's conditions; values.ts takes it without knowing the client. */
export type RunSearch = <Source, Aggregations>(
  request: estypes.SearchRequest,
) => Promise<SearchResponse<Source, Aggregations>>;

/** The server ends a query by itself at its limit; so long after that nobody waits for the answer any more. */
const answerGraceMs = 5000;

/** A new index, or one of a server that has just started, cannot be searched until its shards are up: 503 for a moment. */
const firstWaitMs = 50;
const lastWaitMs = 1600;

/**
 * One search. An index that is not there has no documents; a shard that cannot answer makes the whole search fail, for otherwise
 * its documents would seem to be gone. Throws SearchStoreError, and AnswerTooLarge for an answer of more than `maxBytes`.
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
        throw new AnswerTooLarge('the answer has more bytes than were wanted', { cause });
      }
      if (!shardsAreMissing(cause) || wait > lastWaitMs) throw asStoreError(cause);
      await sleep(wait);
    }
  }
}

/** Fewer documents have to be asked for. */
export class AnswerTooLarge extends Error {}

function shardsAreMissing(cause: unknown): boolean {
  return cause instanceof errors.ResponseError && cause.statusCode === 503;
}

import type { estypes } from '@elastic/elasticsearch';
import { attributeValues, type AttributeValue } from '@logloom/filter';
import { SearchStoreError, type TopValues } from '../search-store.ts';
import type { Query, RunSearch } from './search.ts';

/** The fields of the index that have values to count, by the names that fields() returns. */
export const keywords: ReadonlyMap<string, string> = new Map([
  ['level', 'log.level'],
  ['service', 'service.name'],
  ['host', 'host.name'],
  ['correlationId', 'logloom.correlation_id'],
  ['correlationKind', 'logloom.correlation_kind'],
  ['traceId', 'trace.id'],
  ['spanId', 'span.id'],
]);
const pairs = 'logloom.attributes';
const attributePrefix = 'attributes.';
/** How many of the newest events are searched for attribute paths, and how many paths are returned at most. */
const sampledEvents = 2000;
const maxPaths = 500;
/** How many candidates each index returns, so that the counts of a day's many values are exact in practice. */
const shardSize = 10_000;

interface RawAttributes {
  logloom: { raw_attributes: string };
}

interface ValuesAggregations {
  values: {
    sum_other_doc_count: number;
    buckets: {
      key: string;
      doc_count: number;
      sample?: { hits: { hits: { _source: RawAttributes }[] } };
    }[];
  };
  missing: { doc_count: number };
}

export interface ValuesRequest {
  index: string;
  query: Query;
  field: string;
  limit: number;
}

/** The fields that have top values. */
export async function fieldNames(run: RunSearch, index: string): Promise<string[]> {
  const { hits } = await run<RawAttributes, unknown>({
    index,
    size: sampledEvents,
    query: { bool: { filter: [{ exists: { field: pairs } }] } },
    sort: [{ 'logloom.timestamp': 'desc' }],
    _source: ['logloom.raw_attributes'],
  });
  const paths = new Set<string>();
  for (const text of new Set(hits.hits.map((hit) => hit._source!.logloom.raw_attributes))) {
    for (const path of attributeValues(text).keys()) paths.add(attributePrefix + path);
    if (paths.size >= maxPaths) break;
  }
  return [...keywords.keys(), ...[...paths].sort().slice(0, maxPaths)];
}

/** Throws SearchStoreError `unknown-field`. */
export async function topValues(run: RunSearch, request: ValuesRequest): Promise<TopValues> {
  const { field, limit } = request;
  // Elasticsearch does not count without returning at least one value.
  if (limit === 0) {
    const { values, other, missing } = await topValues(run, { ...request, limit: 1 });
    return { values: [], other: other + (values[0]?.count ?? 0), missing };
  }
  if (field.startsWith(attributePrefix))
    return topAttributeValues(run, request, field.slice(attributePrefix.length));
  const keyword = keywords.get(field);
  if (keyword === undefined) {
    const known = [...keywords.keys()].join(', ');
    throw new SearchStoreError(
      'unknown-field',
      `no values are counted for '${field}'; use ${known} or attributes.<path>`,
    );
  }
  const { values, missing } = await count(run, request, {
    values: { terms: { field: keyword, size: request.limit, shard_size: shardSize } },
    missing: { missing: { field: keyword } },
  });
  return {
    values: values.buckets.map(({ key, doc_count }) => ({ value: key, count: doc_count })),
    other: values.sum_other_doc_count,
    missing: missing.doc_count,
  };
}

/**
 * The keyword contains a value's text; whether it was a number is read from one event that has it. So a number and a string with the same
 * digits are counted together.
 */
async function topAttributeValues(run: RunSearch, request: ValuesRequest, path: string): Promise<TopValues> {
  const prefix = `${path}\0`;
  const { values, missing } = await count(run, request, {
    values: {
      terms: {
        field: pairs,
        size: request.limit,
        shard_size: Math.max(shardSize, request.limit),
        include: `${escapeRegexp(prefix)}.*`,
      },
      aggs: { sample: { top_hits: { size: 1, _source: ['logloom.raw_attributes'] } } },
    },
    missing: {
      filter: { bool: { must_not: [{ prefix: { [pairs]: { value: prefix } } }] } },
    },
  });
  return {
    values: values.buckets.map(({ key, doc_count, sample }) => {
      const text = key.slice(prefix.length);
      const { raw_attributes } = sample!.hits.hits[0]!._source.logloom;
      return { value: valueOf(text, attributeValues(raw_attributes).get(path)), count: doc_count };
    }),
    other: values.sum_other_doc_count,
    missing: missing.doc_count,
  };
}

async function count(
  run: RunSearch,
  { index, query }: ValuesRequest,
  aggs: Record<keyof ValuesAggregations, estypes.AggregationsAggregationContainer>,
): Promise<ValuesAggregations> {
  const { aggregations } = await run<never, ValuesAggregations>({ index, size: 0, query, aggs });
  // Without any index there is nothing to count.
  return aggregations ?? { values: { sum_other_doc_count: 0, buckets: [] }, missing: { doc_count: 0 } };
}

function valueOf(text: string, candidates: readonly AttributeValue[] | undefined): AttributeValue {
  return candidates?.find((value) => String(value) === text) ?? text;
}

/** Every character that is special in Lucene's regular expressions. */
function escapeRegexp(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\0]/gu, '\\$&');
}

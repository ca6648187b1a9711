import type { estypes } from '@elastic/elasticsearch';
import type { Correlation } from '@logloom/schemas';
import type { RequestFigures, RequestGroupsResult } from '../request-groups.ts';
import type { GroupRequestsQuery } from '../search-store.ts';
import { foundCorrelation, type CorrelationSource } from './documents.ts';
import type { Query, RunSearch } from './search.ts';

const fields = { shape: 'shape', service: 'services' } as const;

interface FiguresBucket {
  doc_count: number;
  failed: { doc_count: number };
  durations: { values: Record<string, number | null> };
}

interface GroupsAggregations extends FiguresBucket {
  groups: {
    buckets: (FiguresBucket & {
      key: string;
      latest: { hits: { hits: { _source: CorrelationSource }[] } };
    })[];
  };
  count: { value: number };
  without: { doc_count: number };
  first: { value: number | null };
  last: { value: number | null };
}

const figures: Record<string, estypes.AggregationsAggregationContainer> = {
  failed: { filter: { range: { error_count: { gt: 0 } } } },
  durations: { percentiles: { field: 'duration_ms', percents: [50, 95, 99] } },
};

/** Groups documents by aggregations. Past some thousand groups their number is an estimate. */
export async function groupRequests(
  run: RunSearch,
  { index, query, by, limit }: { index: string; query: Query } & Pick<GroupRequestsQuery, 'by' | 'limit'>,
): Promise<RequestGroupsResult<Correlation>> {
  const field = fields[by];
  const { hits, aggregations } = await run<never, GroupsAggregations>({
    index,
    size: 0,
    query,
    track_total_hits: true,
    aggs: {
      ...figures,
      groups: {
        // Elasticsearch does not count without returning at least one group.
        terms: { field, size: Math.max(1, limit), order: [{ _count: 'desc' }, { _key: 'asc' }] },
        aggs: {
          ...figures,
          latest: {
            top_hits: {
              size: 1,
              sort: [{ first_at: 'desc' }, { first_offset: 'desc' }],
              _source: ['document'],
            },
          },
        },
      },
      count: { cardinality: { field, precision_threshold: 10_000 } },
      without: { missing: { field } },
      first: { min: { field: 'first_at' } },
      last: { max: { field: 'first_at' } },
    },
  });
  const total = typeof hits.total === 'number' ? hits.total : (hits.total?.value ?? 0);
  // Without any index there is nothing to count.
  if (aggregations === undefined || total === 0)
    return { all: noRequests, groups: [], otherGroups: 0, without: 0 };
  const groups = aggregations.groups.buckets.slice(0, limit).map((bucket) => ({
    key: bucket.key,
    ...figuresOf(bucket),
    latest: foundCorrelation(bucket.latest.hits.hits[0]!._source),
  }));
  return {
    all: figuresOf({ ...aggregations, doc_count: total }),
    groups,
    otherGroups: Math.max(0, aggregations.count.value - groups.length),
    without: aggregations.without.doc_count,
    firstAt: aggregations.first.value!,
    lastAt: aggregations.last.value!,
  };
}

const noRequests: RequestFigures = { requests: 0, errors: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 };

function figuresOf({ doc_count, failed, durations }: FiguresBucket): RequestFigures {
  const { values } = durations;
  return {
    requests: doc_count,
    errors: failed.doc_count,
    p50Ms: values['50.0'] ?? 0,
    p95Ms: values['95.0'] ?? 0,
    p99Ms: values['99.0'] ?? 0,
  };
}

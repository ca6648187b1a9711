import { formatMicros } from '@logloom/schemas';
import {
  metrics,
  SearchStoreError,
  type Aggregate,
  type AggregateBucket,
  type AggregateQuery,
} from '@logloom/search-store';
import { ApiError } from '../errors.ts';
import type { QueryParameters } from '../api/query-parameters.ts';

/** Fields to group by. */
const maxFields = 4;

interface BucketJson {
  timestamp: string;
  value: number | null;
  count: number;
}

/** The response to `GET /api/aggregate`. */
export interface AggregateJson {
  groups: {
    key: Record<string, string | null>;
    value: number | null;
    count: number;
    missing?: number;
    buckets?: BucketJson[];
  }[];
  /** Whether groups are left out: `other` says how many. */
  truncated: boolean;
  other: { groups: number; events: number };
  exact: boolean;
  intervalMs?: number;
  from?: string;
  to?: string;
}

/** Reads the parameters. Throws ApiError `bad-parameter`, `bad-filter`. */
export function aggregateQuery(query: QueryParameters): AggregateQuery {
  const metric = query.oneOf('metric', metrics, 'count');
  const of = query.text('of');
  if ((of === undefined) !== (metric === 'count'))
    throw new ApiError(
      'bad-parameter',
      metric === 'count' ? 'of is for other metrics than count' : `${metric} needs of, the field it is about`,
      { parameter: 'of' },
    );
  return {
    filter: query.filter(),
    ...query.range(),
    by: query.list('by', maxFields),
    metric,
    of,
    interval: query.text('interval') === 'auto' ? 'auto' : query.durationMs('interval'),
    limit: query.limit(),
  };
}

/** Runs it. Throws SearchStoreError, and ApiError `unknown-field` with the parameter that names the field. */
export async function aggregateJson(
  store: { aggregate(query: AggregateQuery): Promise<Aggregate> },
  query: AggregateQuery,
): Promise<AggregateJson> {
  const { groups, other, exact, intervals } = await store.aggregate(query).catch((error: unknown) => {
    if (!(error instanceof SearchStoreError) || error.code !== 'unknown-field') throw error;
    const parameter = query.by.includes(error.subject ?? '') ? 'by' : 'of';
    throw new ApiError('unknown-field', error.message, { parameter });
  });
  return {
    groups: groups.map(({ key, value, count, missing, buckets }) => ({
      key: Object.fromEntries(query.by.map((field, i) => [field, key[i] ?? null])),
      value,
      count,
      ...(query.metric === 'count' ? {} : { missing }),
      ...(buckets === undefined ? {} : { buckets: buckets.map(bucketJson) }),
    })),
    truncated: other.groups > 0,
    other,
    exact,
    ...(intervals && {
      intervalMs: intervals.intervalMs,
      from: formatMicros(intervals.fromMicros),
      to: formatMicros(intervals.toMicros),
    }),
  };
}

function bucketJson({ startMicros, value, count }: AggregateBucket): BucketJson {
  return { timestamp: formatMicros(startMicros), value, count };
}

import type { estypes } from '@elastic/elasticsearch';
import { elasticsearchNumberName } from '@logloom/filter';
import {
  keyText,
  sortGroups,
  topGroups,
  type Aggregate,
  type AggregateGroup,
  type AggregateQuery,
  type GroupKey,
  type Metric,
} from '../aggregate/aggregate-query.ts';
import { BucketGrid, type KnownRange } from '../aggregate/bucket-grid.ts';
import { fieldPlace, numberPath, type FieldPlace } from '../aggregate/group-fields.ts';
import { SearchStoreError } from '../search-store.ts';
import type { Query, RunSearch } from './search.ts';
import { keywords } from './values.ts';

/** All groups are read, because the highest values are only known at the end. */
const maxGroups = 50_000;
const groupsAtOnce = 10_000;
/** Of cardinality: fewer different values are counted nearly exactly. */
const precision = 40_000;

type Aggregations = Record<string, estypes.AggregationsAggregationContainer>;

interface MetricBucket {
  doc_count: number;
  missing?: { doc_count: number };
  metric?: { value?: number | null; values?: Record<string, number | null> };
}

interface CompositeBucket extends MetricBucket {
  key: Record<string, string | number | null>;
}

interface AggregateAggregations extends Omit<MetricBucket, 'doc_count'> {
  groups?: { buckets: CompositeBucket[]; after_key?: Record<string, string | number | null> };
}

export interface AggregateRequest {
  index: string;
  query: Query;
  /** Known if buckets are wanted and there are events. */
  range: KnownRange | undefined;
}

/**
 * Groups the events by composite aggregations, which count exactly across shards. Values of attributes are those of the flattened field
 * `labels`, so longer ones than 1,024 characters count as missing; their numbers have fields of their own (templates.ts). Throws
 * SearchStoreError `unknown-field`, `too-many-buckets`, `too-many-groups`.
 */
export async function aggregate(
  run: RunSearch,
  { index, query, range }: AggregateRequest,
  asked: AggregateQuery,
): Promise<Aggregate> {
  const { by, metric, of, limit, interval } = asked;
  const fields = by.map((name) => fieldOf(fieldPlace(name)));
  const figures = figuresOf(metric, of);
  const common = { index, size: 0, query };
  const exact = metric !== 'distinct' && !metric.startsWith('p');
  const sources = fields.map((field, i) => ({ [`by_${i}`]: { terms: { field, missing_bucket: true } } }));
  const groups: AggregateGroup[] = [];
  for await (const bucket of groupsIn(run, { ...common, sources, figures })) {
    groups.push({ key: fields.map((_, i) => textOf(bucket.key[`by_${i}`])), ...figureOf(metric, bucket) });
    if (groups.length > maxGroups)
      throw new SearchStoreError('too-many-groups', `there are more than ${maxGroups} groups`);
  }
  const sorted = sortGroups(groups);
  if (interval === undefined || range === undefined) return { ...topGroups(sorted, limit), exact };
  const grid = new BucketGrid(asked, range);
  const result = { ...topGroups(sorted, grid.limit), exact };
  const time = { at: { histogram: { field: 'logloom.timestamp', interval: grid.widthMicros } } };
  const keys = result.groups.map(({ key }) => key);
  const narrowed = { bool: { filter: [query, anyOf(fields, keys)] } };
  const wanted = new Set(keys.map(keyText));
  for await (const bucket of groupsIn(run, {
    ...common,
    query: narrowed,
    sources: [...sources, time],
    figures,
  })) {
    const key = fields.map((_, i) => textOf(bucket.key[`by_${i}`]));
    // An event of several groups may be in others too.
    if (!wanted.has(keyText(key))) continue;
    grid.set(key, Math.round(Number(bucket.key['at']) / grid.widthMicros), figureOf(metric, bucket));
  }
  return grid.fill(result);
}

interface GroupsRequest extends estypes.SearchRequest {
  sources: Record<string, estypes.AggregationsCompositeAggregationSource>[];
  figures: Aggregations;
}

async function* groupsIn(
  run: RunSearch,
  { sources, figures, ...request }: GroupsRequest,
): AsyncGenerator<CompositeBucket> {
  if (sources.length === 0) {
    const { hits, aggregations } = await run<never, AggregateAggregations>({
      ...request,
      track_total_hits: true,
      aggs: figures,
    });
    const doc_count = typeof hits.total === 'number' ? hits.total : (hits.total?.value ?? 0);
    if (doc_count > 0) yield { key: {}, doc_count, ...aggregations };
    return;
  }
  for (let after: Record<string, string | number | null> | undefined; ;) {
    const { aggregations } = await run<never, AggregateAggregations>({
      ...request,
      track_total_hits: false,
      aggs: {
        groups: {
          composite: { size: groupsAtOnce, sources, ...(after === undefined ? {} : { after }) },
          aggs: figures,
        },
      },
    });
    // Without any index there is nothing to group.
    const { buckets = [], after_key } = aggregations?.groups ?? {};
    yield* buckets;
    if (buckets.length < groupsAtOnce || after_key === undefined) return;
    after = after_key;
  }
}

/** The field with the texts. */
function fieldOf(place: FieldPlace): string {
  return 'field' in place ? keywords.get(place.field)! : `labels.${place.path}`;
}

function figuresOf(metric: Metric, of: string | undefined): Aggregations {
  if (metric === 'count' || of === undefined) return {};
  if (metric === 'distinct') {
    const field = fieldOf(fieldPlace(of));
    return {
      metric: { cardinality: { field, precision_threshold: precision } },
      missing: { missing: { field } },
    };
  }
  const field = `logloom.number.${elasticsearchNumberName(numberPath(of)) ?? '-'}`;
  const missing = { missing: { field } };
  if (metric.startsWith('p'))
    return { metric: { percentiles: { field, percents: [Number(metric.slice(1))] } }, missing };
  return { metric: { [metric]: { field } }, missing };
}

function figureOf(metric: Metric, bucket: MetricBucket): Omit<AggregateGroup, 'key'> {
  const count = bucket.doc_count;
  const missing = bucket.missing?.doc_count ?? 0;
  if (metric === 'count') return { value: count, count, missing };
  const { value, values } = bucket.metric ?? {};
  // Elasticsearch's sum of nothing is 0.
  if (metric !== 'distinct' && missing === count) return { value: null, count, missing };
  return { value: value ?? Object.values(values ?? {})[0] ?? null, count, missing };
}

function textOf(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** The events that are in one of the groups at least. */
function anyOf(fields: readonly string[], keys: readonly GroupKey[]): Query {
  if (fields.length === 0) return { match_all: {} };
  const should = keys.map((key) => ({
    bool: { filter: fields.map((field, i) => valueQuery(field, key[i] ?? null)) },
  }));
  return { bool: { should, minimum_should_match: 1 } };
}

function valueQuery(field: string, value: string | null): Query {
  return value === null ? { bool: { must_not: [{ exists: { field } }] } } : { term: { [field]: value } };
}

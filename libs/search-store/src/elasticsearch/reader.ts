import type { Client, estypes } from '@elastic/elasticsearch';
import { compileElasticsearch, type Filter } from '@logloom/filter';
import type { Correlation, Level } from '@logloom/schemas';
import type { Aggregate, AggregateQuery } from '../aggregate/aggregate-query.ts';
import { chooseBuckets } from '../histogram-interval.ts';
import { bytesOf, defaultPageBytes } from '../page-bytes.ts';
import type { RequestGroupsResult } from '../request-groups.ts';
import { beforeAll, type ScanPage, type ScanQuery } from '../scan.ts';
import type {
  CorrelationsPage,
  CorrelationsQuery,
  FoundEvent,
  GroupRequestsQuery,
  Histogram,
  HistogramQuery,
  SearchPage,
  SearchQuery,
  ShapeDuration,
  ShapeDurationsQuery,
  TimeRange,
  TopValues,
  TopValuesQuery,
  Total,
} from '../search-store.ts';
import { aggregate } from './aggregate.ts';
import { compileCorrelationQuery } from './correlation-query.ts';
import { decodeSortCursor, encodeSortCursor, type SortCursor } from './cursor.ts';
import { foundCorrelation, foundEvent, type CorrelationSource, type EventSource } from './documents.ts';
import { groupRequests } from './group-requests.ts';
import type { IndexNames } from './indices.ts';
import { packEnds, partitionEnds, unpackEnds, upTo } from './partition-ends.ts';
import { AnswerTooLarge, runSearch, type Query, type SearchResponse } from './search.ts';
import { fieldNames, topValues } from './values.ts';

/** max_result_window, minus the extra hit that shows whether there is a next page. */
const maxPage = 9999;
/** The assumed size of a document before one was seen; a larger answer is requested again in smaller steps. */
const firstHitBytes = 2048;
const minHitBytes = 256;
const shrinkBy = 8;

interface HistogramAggregations {
  intervals: {
    buckets: { key: number; doc_count: number; levels: { buckets: { key: Level; doc_count: number }[] } }[];
  };
}

/** The reading half of the Elasticsearch search store. */
export class ElasticsearchReader {
  readonly #client: Client;
  readonly #names: IndexNames;
  readonly #queryLimitMs: number;

  readonly #pageBytes: number;
  /** The last size of a hit, per index. */
  readonly #hitBytes = new Map<string, number>();

  constructor(client: Client, names: IndexNames, queryLimitMs: number, pageBytes = defaultPageBytes) {
    this.#pageBytes = pageBytes;
    this.#client = client;
    this.#names = names;
    this.#queryLimitMs = queryLimitMs;
  }

  async search({ filter, limit, order, cursor, ...range }: SearchQuery): Promise<SearchPage> {
    return this.#events(eventsQuery(filter, range), limit, order, cursor);
  }

  async scan({
    filter,
    limit,
    snapshot,
    after = beforeAll,
    ...range
  }: ScanQuery): Promise<ScanPage<FoundEvent>> {
    const ends =
      snapshot === undefined
        ? await partitionEnds((request) => this.#run(request), this.#names.events)
        : unpackEnds(snapshot);
    const query = { bool: { filter: [eventsQuery(filter, range), upTo(ends)] } };
    const { timestamp, partition, offset } = after;
    // A total is not counted: the cursor has one.
    const cursor = encodeSortCursor({
      after: [timestamp, partition, offset],
      total: { value: 0, exact: false },
    });
    const { events, next } = await this.#events(query, limit, 'asc', cursor);
    return { events, snapshot: packEnds(ends), isLast: next === undefined };
  }

  async #events(
    query: Query,
    limit: number,
    order: 'asc' | 'desc',
    cursor: string | undefined,
  ): Promise<SearchPage> {
    const { sources, ...page } = await this.#page<EventSource>(
      {
        index: this.#names.events,
        query,
        _source: {
          excludes: [
            'labels',
            '@timestamp',
            'logloom.words',
            'logloom.attributes',
            'logloom.numbers',
            'logloom.number',
          ],
        },
        sort: ['logloom.timestamp', 'logloom.partition', 'logloom.offset'].map((field) => ({
          [field]: order,
        })),
      },
      limit,
      cursor,
    );
    return { ...page, events: sources.map(foundEvent) };
  }

  async histogram({ filter, scope, intervalMs, ...range }: HistogramQuery): Promise<Histogram> {
    const known = await this.#knownRange(range, scope);
    if (known === undefined)
      return { intervalMs: intervalMs ?? 1000, fromMicros: 0, toMicros: 0, buckets: [] };
    const { fromMicros, toMicros } = known;
    const chosen = chooseBuckets(fromMicros, toMicros, intervalMs);
    const width = chosen.intervalMs * 1000;
    const result: Histogram = { intervalMs: chosen.intervalMs, fromMicros, toMicros, buckets: [] };
    for (let i = chosen.first; i <= chosen.last; i++)
      result.buckets.push({ startMicros: i * width, count: 0, levels: {} });
    // Not date_histogram: the microseconds are a number, which also holds times before 1970.
    const { aggregations } = await this.#run<never, HistogramAggregations>({
      index: this.#names.events,
      size: 0,
      query: eventsQuery(filter, { fromMicros, toMicros }),
      aggs: {
        intervals: {
          histogram: { field: 'logloom.timestamp', interval: width, min_doc_count: 1 },
          aggs: { levels: { terms: { field: 'log.level', size: 6 } } },
        },
      },
    });
    for (const { key, doc_count, levels } of aggregations?.intervals.buckets ?? []) {
      const bucket = result.buckets[Math.round(key / width) - chosen.first]!;
      bucket.count = doc_count;
      for (const level of levels.buckets) bucket.levels[level.key] = level.doc_count;
    }
    return result;
  }

  async topValues({ filter, field, limit, ...range }: TopValuesQuery): Promise<TopValues> {
    return topValues((request) => this.#run(request), {
      index: this.#names.events,
      query: eventsQuery(filter, range),
      field,
      limit,
    });
  }

  async aggregate(query: AggregateQuery): Promise<Aggregate> {
    const range = query.interval === undefined ? undefined : await this.#knownRange(query, query.scope);
    const request = {
      index: this.#names.events,
      query: eventsQuery(query.filter, range ?? query),
      range,
    };
    return aggregate((search) => this.#run(search), request, query);
  }

  async fields(): Promise<string[]> {
    return fieldNames((request) => this.#run(request), this.#names.events);
  }

  async event(id: string): Promise<FoundEvent | undefined> {
    const { hits } = await this.#run<EventSource>({
      index: this.#names.events,
      query: { bool: { filter: [{ term: { 'logloom.id': id } }] } },
      size: 1,
    });
    const source = hits.hits[0]?._source;
    return source && foundEvent(source);
  }

  async correlations({ filter, limit, cursor, ...range }: CorrelationsQuery): Promise<CorrelationsPage> {
    return this.#correlationsPage(documentConditions(filter, range), limit, cursor);
  }

  async correlation(id: string): Promise<Correlation | undefined> {
    const { correlations } = await this.#correlationsPage([{ term: { id } }], 1);
    return correlations[0];
  }

  async correlationsById(correlationId: string): Promise<Correlation[]> {
    const { correlations } = await this.#correlationsPage(
      [{ term: { correlation_id: correlationId } }],
      maxPage,
    );
    return correlations;
  }

  async correlationsByIds(ids: readonly string[], limit: number): Promise<Correlation[]> {
    if (ids.length === 0) return [];
    return (await this.#correlationsPage([{ terms: { ids: [...ids] } }], limit)).correlations;
  }

  async shapeDurations({ shape, limit, ...range }: ShapeDurationsQuery): Promise<ShapeDuration[]> {
    const { hits } = await this.#run({
      index: this.#names.correlations,
      query: { bool: { filter: [{ term: { shape } }, ...rangeQuery('first_at', range)] } },
      size: limit,
      sort: ['first_at', 'partition', 'first_offset'].map((field) => ({ [field]: 'desc' as const })),
      _source: false,
      docvalue_fields: ['first_at', 'duration_ms'],
    });
    return hits.hits.map(({ fields }) => {
      const { first_at, duration_ms } = fields as { first_at: [number]; duration_ms: [number] };
      return { firstAt: first_at[0], durationMs: duration_ms[0] };
    });
  }

  async groupRequests({
    filter,
    by,
    limit,
    ...range
  }: GroupRequestsQuery): Promise<RequestGroupsResult<Correlation>> {
    return groupRequests((request) => this.#run(request), {
      index: this.#names.correlations,
      query: { bool: { filter: documentConditions(filter, range) } },
      by,
      limit,
    });
  }

  async counts(): Promise<{ events: number; correlations: number }> {
    const [events, correlations] = await Promise.all(
      [this.#names.events, this.#names.correlations].map(async (index) => {
        const { hits } = await this.#run({ index, size: 0, track_total_hits: true });
        return totalOf(hits.total);
      }),
    );
    return { events: events!, correlations: correlations! };
  }

  async #correlationsPage(conditions: Query[], limit: number, cursor?: string): Promise<CorrelationsPage> {
    const { sources, ...page } = await this.#page<CorrelationSource>(
      {
        index: this.#names.correlations,
        query: { bool: { filter: conditions } },
        _source: ['document'],
        sort: ['first_at', 'partition', 'first_offset'].map((field) => ({ [field]: 'desc' as const })),
      },
      limit,
      cursor,
    );
    return { ...page, correlations: sources.map(foundCorrelation) };
  }

  /**
   * One page by the sort's values alone. A point in time would hold old segments and expire; the values of the last hit are enough, because
   * an indexed document never changes its place.
   */
  async #page<Source>(
    request: estypes.SearchRequest & { sort: estypes.SortCombinations[] },
    limit: number,
    cursor: string | undefined,
  ): Promise<{ sources: Source[]; total: Total; next?: string }> {
    const before = cursor === undefined ? undefined : decodeSortCursor(cursor);
    const size = Math.min(limit, maxPage);
    const index = String(request.index);
    const sources: Source[] = [];
    let after = before?.after;
    let total = before?.total;
    for (let bytes = 0; ;) {
      const missing = size - sources.length;
      const hitBytes = this.#hitBytes.get(index) ?? firstHitBytes;
      const step = Math.min(missing, Math.max(1, Math.floor((this.#pageBytes - bytes) / hitBytes)));
      let hits;
      try {
        ({ hits } = await this.#run<Source>(
          {
            ...request,
            // One more hit shows whether there is a next page.
            size: size === 0 ? 0 : step + 1,
            track_total_hits: total === undefined,
            ...(after === undefined ? {} : { search_after: after }),
          },
          // A single document is read whatever its size.
          step === 1 ? undefined : 2 * this.#pageBytes,
        ));
      } catch (error) {
        if (!(error instanceof AnswerTooLarge)) throw error;
        this.#hitBytes.set(index, hitBytes * shrinkBy);
        continue;
      }
      total ??= { value: totalOf(hits.total), exact: true };
      let stepBytes = 0;
      let taken = 0;
      for (const hit of hits.hits.slice(0, step)) {
        if (bytes + stepBytes >= this.#pageBytes) break;
        sources.push(hit._source!);
        stepBytes += bytesOf(textsOf(hit._source));
        after = hit.sort as SortCursor['after'];
        taken++;
      }
      bytes += stepBytes;
      if (taken > 0) this.#hitBytes.set(index, Math.max(minHitBytes, stepBytes / taken));
      if (taken === hits.hits.length || after === undefined) return { sources, total };
      if (sources.length >= size || bytes >= this.#pageBytes)
        return { sources, total, next: encodeSortCursor({ after, total }) };
    }
  }

  /** The range with its missing ends filled in from the events of `scope`. Undefined if both are missing and there are no events. */
  async #knownRange(
    range: TimeRange,
    scope: Filter | undefined,
  ): Promise<{ fromMicros: number; toMicros: number } | undefined> {
    const { fromMicros, toMicros } = range;
    let ends: { min?: { value: number | null }; max?: { value: number | null } } = {};
    if (fromMicros === undefined || toMicros === undefined) {
      const field = 'logloom.timestamp';
      const aggs = { min: { min: { field } }, max: { max: { field } } };
      const response = await this.#run<never, Required<typeof ends>>({
        index: this.#names.events,
        size: 0,
        aggs,
        ...(scope === undefined ? {} : { query: eventsQuery(scope, {}) }),
      });
      ends = response.aggregations ?? {};
    }
    const from = fromMicros ?? ends.min?.value ?? toMicros;
    if (from === undefined) return undefined;
    const to = toMicros ?? Math.max(from, ends.max?.value ?? from) + 1;
    return { fromMicros: Math.min(from, to), toMicros: to };
  }

  #run<Source = unknown, Aggregations = unknown>(
    request: estypes.SearchRequest,
    maxBytes?: number,
  ): Promise<SearchResponse<Source, Aggregations>> {
    return runSearch(this.#client, request, this.#queryLimitMs, maxBytes);
  }
}

/** All texts in a document. */
function textsOf(source: unknown): unknown[] {
  if (typeof source !== 'object' || source === null) return [source];
  return Object.values(source).flatMap(textsOf);
}

function eventsQuery(filter: Filter, range: TimeRange): Query {
  return { bool: { filter: [compileElasticsearch(filter), ...rangeQuery('logloom.timestamp', range)] } };
}

function documentConditions(filter: Filter | undefined, range: TimeRange): Query[] {
  return [
    ...(filter === undefined ? [] : [compileCorrelationQuery(filter)]),
    ...rangeQuery('first_at', range),
  ];
}

function rangeQuery(field: string, { fromMicros, toMicros }: TimeRange): Query[] {
  if (fromMicros === undefined && toMicros === undefined) return [];
  const from = fromMicros === undefined ? {} : { gte: fromMicros };
  const to = toMicros === undefined ? {} : { lt: toMicros };
  return [{ range: { [field]: { ...from, ...to } } }];
}

function totalOf(total: estypes.SearchHitsMetadata['total']): number {
  return typeof total === 'number' ? total : (total?.value ?? 0);
}

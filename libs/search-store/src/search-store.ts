import { CodedError, pickErrors, requestErrors, type CodeOf } from '@logloom/errors';
import { filterErrors } from '@logloom/filter';
import { searchStoreErrors } from './errors.ts';
import type { Aggregate, AggregateQuery } from './aggregate/aggregate-query.ts';
import type { RequestGroupsResult } from './request-groups.ts';
import type { ScanPage, ScanQuery } from './scan.ts';
import type { TimeRange } from './time-range.ts';
import type { Filter } from '@logloom/filter';
import type { Correlation, Level, LogView, PlacedEvent } from '@logloom/schemas';

/**
 * Finds log events and correlation documents. It is a view of the log: it can be deleted and rebuilt from logs.events and
 * logs.correlations.
 *
 * Guarantees of every adapter
 * - index() and indexCorrelations() resolve only when all their input is durable and will be found, at once or within seconds, except for
 *   the items that they return as refused. A rejected call may have stored some of it; repeating it is safe.
 * - An event is stored once per id: the first one stays, later ones are ignored.
 * - A correlation document is stored once per id, at the highest revision that was received; lower and equal ones are ignored.
 * - Pages never repeat or leave out items that existed when the first page was made, while nothing is deleted.
 * - Queries reject with SearchStoreError; `timeout` when one runs too long, `cancelled` when the client no longer waits (cancellation.ts).
 *
 * Times are microseconds since 1970; `fromMicros` belongs to a range, `toMicros` does not.
 */
export interface SearchStore extends LogView {
  /** Returns the items that can never be stored; all others are stored when it resolves. */
  index(events: readonly PlacedEvent[]): Promise<Refused<PlacedEvent>[]>;
  /** As index(). */
  indexCorrelations(documents: readonly Correlation[]): Promise<Refused<Correlation>[]>;

  /** One page of the matching events, by timestamp; it ends early, with `next`, once it has many bytes (pageBytes of the adapters); equal timestamps of a partition in the order of the log. */
  search(query: SearchQuery): Promise<SearchPage>;
  /** Counts per interval and level; without a range, from the first event of `scope` to the last. Errors: `too-many-buckets`. */
  histogram(query: HistogramQuery): Promise<Histogram>;
  /** The most frequent values of a field (fields() names them), most frequent first. Errors: `unknown-field`. */
  topValues(query: TopValuesQuery): Promise<TopValues>;
  /**
   * Events grouped by fields, with a metric of each group and, on demand, of each interval of time. Exact in the embedded store;
   * Elasticsearch estimates percentiles and distinct values, and refuses more than 50,000 groups. Errors: `unknown-field`,
   * `too-many-buckets`, `too-many-groups`.
   */
  aggregate(query: AggregateQuery): Promise<Aggregate>;
  /**
   * The matching events that are stored now, in the order of (timestamp, partition, offset), page after page: each once, however long that
   * takes and whatever is written meanwhile; those that retention removes before they are read are left out. A page also ends once it has
   * many bytes. Errors: `bad-cursor`.
   */
  scan(query: ScanQuery): Promise<ScanPage<FoundEvent>>;
  /** The names of the fields that topValues() takes: the fixed ones, and the attribute paths of the newest events. */
  fields(): Promise<string[]>;
  event(id: string): Promise<FoundEvent | undefined>;

  /** One page of the matching documents, the latest `firstAt` first. Errors: `bad-filter` (document-fields.ts has the fields). */
  correlations(query: CorrelationsQuery): Promise<CorrelationsPage>;
  correlation(id: string): Promise<Correlation | undefined>;
  /** The documents of a correlation id, the latest `firstAt` first; as many as a page's bytes hold. */
  correlationsById(correlationId: string): Promise<Correlation[]>;
  /** The documents whose correlation id or other ids are among these, the latest `firstAt` first, at most `limit` (to 1,000). */
  correlationsByIds(ids: readonly string[], limit: number): Promise<Correlation[]>;
  /** The durations of the latest documents of a shape whose first event is in the range, the latest first; at most 1,000. */
  shapeDurations(query: ShapeDurationsQuery): Promise<ShapeDuration[]>;
  /** Groups the matching documents. Percentiles are exact in the embedded store, estimates in Elasticsearch. Errors: `bad-filter`. */
  groupRequests(query: GroupRequestsQuery): Promise<RequestGroupsResult<Correlation>>;

  counts(): Promise<{ events: number; correlations: number }>;
  /**
   * Removes the events with a timestamp before `micros`, and the documents whose last member was before it. Returns how many events were
   * removed.
   */
  deleteBefore(micros: number): Promise<number>;
  /**
   * Begins an empty store beside this one, which serves queries and writes as before until the other replaces it. There is one at a time:
   * an unfinished one, of this process or of one that died, is discarded, and its calls reject.
   */
  rebuild(): Promise<SearchRebuild>;
  /** Why the engine refuses what it was asked last, with the setting to look at; undefined: it does not. */
  problem?(): string | undefined;
  close(): Promise<void>;
}

/** A store that is being rebuilt. Its content is durable only when commit() has resolved. */
export interface SearchRebuild {
  index(events: readonly PlacedEvent[]): Promise<void>;
  indexCorrelations(documents: readonly Correlation[]): Promise<void>;
  /**
   * Before the last records are read: until commit() or discard() no other process gets a write to the old store acknowledged; its writes
   * reject with `store-unavailable`. So the old store cannot get records beyond the log's present end. The caller has to hold back writes
   * of this process.
   */
  seal(): Promise<void>;
  /**
   * Replaces the old store, atomically and for every reader and writer, and removes it. A cursor of the embedded store may then repeat or
   * leave out events of one microsecond.
   */
  commit(): Promise<void>;
  /** Removes it; does nothing after commit(). */
  discard(): Promise<void>;
}

export type { TimeRange };

/** An item that the store can never accept, such as a document that its engine cannot read, and the reason in words. */
export interface Refused<Item> {
  item: Item;
  reason: string;
}

/** An event without the fields that no search returns: its source (the id contains its place) and the time of receipt. */
export type FoundEvent = Omit<PlacedEvent, 'source' | 'receivedAt'>;

export interface SearchQuery extends TimeRange {
  filter: Filter;
  /** 0: the total alone. */
  limit: number;
  order: 'asc' | 'desc';
  /** `next` of the previous page of the same query. Errors: `bad-cursor`. */
  cursor?: string | undefined;
}

/**
 * How many there are; not exact if counting stopped at `value`, because of their number or the time it took. Later pages repeat the total
 * of the first.
 */
export interface Total {
  value: number;
  exact: boolean;
}

export interface SearchPage {
  total: Total;
  events: FoundEvent[];
  /** The cursor of the next page; absent on the last. */
  next?: string;
}

export interface HistogramQuery extends TimeRange {
  filter: Filter;
  /** The events that define the range if it is absent; default: all. */
  scope?: Filter | undefined;
  /** If absent, chosen for about 60 buckets. */
  intervalMs?: number | undefined;
}

export interface Histogram {
  intervalMs: number;
  fromMicros: number;
  toMicros: number;
  /** Every interval that touches the range, ascending, also those without events. A bucket starts at a multiple of the interval. */
  buckets: { startMicros: number; count: number; levels: Partial<Record<Level, number>> }[];
}

export interface TopValuesQuery extends TimeRange {
  filter: Filter;
  field: string;
  limit: number;
}

export interface TopValues {
  values: { value: string | number | boolean; count: number }[];
  /** How many values of events are not among the top ones. */
  other: number;
  /** How many matching events have no value. */
  missing: number;
}

export interface CorrelationsQuery extends TimeRange {
  /** Over the documents; `fromMicros` and `toMicros` bound `firstAt`. */
  filter?: Filter | undefined;
  /** 0: the total alone. */
  limit: number;
  cursor?: string | undefined;
}

export interface CorrelationsPage {
  total: Total;
  correlations: Correlation[];
  next?: string;
}

export interface ShapeDurationsQuery extends TimeRange {
  shape: string;
  limit: number;
}

export interface ShapeDuration {
  firstAt: number;
  durationMs: number;
}

export interface GroupRequestsQuery extends TimeRange {
  /** Over the documents; `fromMicros` and `toMicros` bound `firstAt`. */
  filter?: Filter | undefined;
  /** A request belongs to the group of its shape, or to that of each of its services. */
  by: 'shape' | 'service';
  /** How many groups are returned. */
  limit: number;
}

/** Counting stops here. */
export const maxTotal = 10_000_000;
export const maxBuckets = 1000;

const errors = {
  ...searchStoreErrors,
  ...pickErrors(filterErrors, 'bad-filter'),
  ...pickErrors(requestErrors, 'bad-cursor'),
};

export type SearchStoreErrorCode = CodeOf<typeof errors>;

export class SearchStoreError extends CodedError<SearchStoreErrorCode> {
  /** With `bad-filter`: the part of the filter that is not allowed, as written; with `unknown-field` of an aggregation, the field. */
  readonly subject: string | undefined;
  constructor(
    code: SearchStoreErrorCode,
    message?: string,
    { subject, ...options }: ErrorOptions & { subject?: string } = {},
  ) {
    super(errors, code, message, options);
    this.subject = subject;
  }
}

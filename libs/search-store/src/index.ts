export {
  metrics,
  type Aggregate,
  type AggregateBucket,
  type AggregateGroup,
  type AggregateQuery,
  type GroupKey,
  type Metric,
} from './aggregate/aggregate-query.ts';
export { searchStoreErrors } from './errors.ts';
export { cancelledQueries, runCancellable, throwIfCancelled, type Cancellation } from './cancellation.ts';
export { elasticsearchOf } from './settings.ts';
export { openSearchStore, type OpenSearchStoreOptions } from './open.ts';
export {
  maxBuckets,
  maxTotal,
  SearchStoreError,
  type CorrelationsPage,
  type CorrelationsQuery,
  type FoundEvent,
  type GroupRequestsQuery,
  type Histogram,
  type HistogramQuery,
  type Refused,
  type SearchPage,
  type SearchQuery,
  type SearchRebuild,
  type SearchStore,
  type SearchStoreErrorCode,
  type ShapeDuration,
  type ShapeDurationsQuery,
  type TimeRange,
  type TopValues,
  type TopValuesQuery,
  type Total,
} from './search-store.ts';
export type { EventPlace, ScanPage, ScanQuery } from './scan.ts';
export {
  openEmbeddedSearchStore,
  type EmbeddedSearchStoreOptions,
} from './embedded/embedded-search-store.ts';
export {
  percentile,
  RequestGroups,
  type RequestFigures,
  type RequestGroup,
  type RequestGroupsResult,
} from './request-groups.ts';

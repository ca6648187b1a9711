export { ColumnStore, type ColumnStoreOptions } from './column-store.ts';
export { columnDefinitions, eventColumns, eventId, requestColumns } from './schema.ts';
export { ReadInterrupted, type ReadLimits, type ReadView, type RelationOptions } from './read-view.ts';
export type { PlaceRange, Slice, SliceKind } from './slice.ts';
export type { ViewName } from './views.ts';
export { SliceIndex, wordsPath, type BlockRange } from './slice-index/slice-index.ts';
export { openColumnStore, type OpenColumnStoreOptions, type StoreHandle } from './open-column-store.ts';
export { StoreUnavailable } from './store-unavailable.ts';

import {
  openColumnStore,
  StoreUnavailable,
  type ColumnStore,
  type OpenColumnStoreOptions,
  type StoreHandle,
} from '@logloom/column-store';
import { registerDuckDbFunctions } from '@logloom/filter/duckdb';
import { defaultPageBytes } from '../page-bytes.ts';
import { SearchStoreError, type SearchStore } from '../search-store.ts';
import { columnReader, type Read } from './column-reader.ts';

/** As OpenColumnStoreOptions have them, and the limits of queries. */
export interface EmbeddedSearchStoreOptions extends Omit<OpenColumnStoreOptions, 'nowMs'> {
  /** How long one query may run; default 10 s. */
  queryLimitMs?: number;
  /** How long a search may count; default 700 ms. Then its total is what was counted until then, and not exact. */
  countLimitMs?: number;
  /** A page ends after this many bytes; default 8 MiB. */
  pageBytes?: number | undefined;
}

/**
 * The embedded search store: a view of the column store in the folder, which the embedded archive shares. One process writes; others, and
 * other threads, may be opened `readOnly` beside it.
 */
export function openEmbeddedSearchStore(
  folder: string,
  options: EmbeddedSearchStoreOptions = {},
): SearchStore {
  return columnSearchStore(openColumnStore(folder, 'search', options), options);
}

/** The search store over an open column store, which it closes. */
export function columnSearchStore(
  handle: Pick<StoreHandle, 'run' | 'close'>,
  options: EmbeddedSearchStoreOptions = {},
): SearchStore {
  const {
    readOnly = false,
    queryLimitMs = 10_000,
    countLimitMs = 700,
    pageBytes = defaultPageBytes,
  } = options;
  const call = async <T>(work: (store: ColumnStore) => Promise<T>): Promise<T> => {
    try {
      return await handle.run(work);
    } catch (error) {
      throw error instanceof StoreUnavailable
        ? new SearchStoreError('store-unavailable', error.message, { cause: error.cause })
        : error;
    }
  };
  const write = async <T>(work: (store: ColumnStore) => Promise<T>): Promise<T> => {
    if (readOnly) throw new TypeError('this search store was opened for reading only');
    return call(work);
  };
  const read: Read = (work, limits) =>
    call(async (store) => {
      await store.setUp(registerDuckDbFunctions);
      return store.read('search', work, limits);
    });
  return {
    ...columnReader(read, { queryLimitMs, countLimitMs, pageBytes }),
    index: async (events) => {
      await write((store) => store.putEvents('search', events));
      return [];
    },
    indexCorrelations: async (documents) => {
      await write((store) => store.putDocuments('search', documents));
      return [];
    },
    counts: () => call(async (store) => store.counts('search')),
    deleteBefore: (micros) => write((store) => store.removeBefore('search', micros)),
    filled: (epoch) => call(async (store) => store.marks('search').filled(epoch)),
    markFilled: (epoch, moves) => write(async (store) => store.marks('search').move(epoch, moves)),
    removedBefore: () => call(async (store) => store.marks('search').removedBefore()),
    missingEvents: (events) => call((store) => store.missingEvents('search', events)),
    missingCorrelations: (documents) => call((store) => store.missingDocuments('search', documents)),
    rebuild: async () => {
      const rebuild = await write((store) => store.rebuild());
      return {
        index: (events) => call(() => rebuild.putEvents(events)),
        indexCorrelations: (documents) => call(() => rebuild.putDocuments(documents)),
        // Only one process has the store open for writing.
        seal: async () => {},
        commit: () => call(() => rebuild.commit()),
        discard: () => rebuild.discard(),
      };
    },
    close: () => handle.close(),
  };
}

import type { ColumnStore } from '@logloom/column-store';
import { registerDuckDbFunctions } from '@logloom/filter/duckdb';
import { defaultPageBytes } from '../page-bytes.ts';
import type { SearchStore } from '../search-store.ts';
import { columnReader } from './column-reader.ts';

export interface ColumnSearchStoreOptions {
  /** How long one query may run; default 10 s. */
  queryLimitMs?: number;
  /** How long a search may count; default 1 s. Then its total is what was counted until then, and not exact. */
  countLimitMs?: number;
  /** A page ends after this many bytes; default 8 MiB. */
  pageBytes?: number | undefined;
}

/** The embedded search store: the view `search` of a store of columns, which it closes. */
export function columnSearchStore(store: ColumnStore, options: ColumnSearchStoreOptions = {}): SearchStore {
  const { queryLimitMs = 10_000, countLimitMs = 1000, pageBytes = defaultPageBytes } = options;
  store.use('search');
  const marks = store.marks('search');
  const ready = store.setUp(registerDuckDbFunctions);
  return {
    ...columnReader(
      async (work, limits) => {
        await ready;
        return store.read('search', work, limits);
      },
      { queryLimitMs, countLimitMs, pageBytes },
    ),
    index: async (events) => {
      await store.putEvents('search', events);
      return [];
    },
    indexCorrelations: async (documents) => {
      await store.putDocuments('search', documents);
      return [];
    },
    counts: async () => store.counts('search'),
    deleteBefore: (micros) => store.removeBefore('search', micros),
    filled: async (epoch) => marks.filled(epoch),
    markFilled: async (epoch, moves) => marks.move(epoch, moves),
    removedBefore: async () => marks.removedBefore(),
    missingEvents: (events) => store.missingEvents('search', events),
    missingCorrelations: (documents) => store.missingDocuments('search', documents),
    rebuild: async () => {
      const rebuild = await store.rebuild();
      return {
        index: (events) => rebuild.putEvents(events),
        indexCorrelations: (documents) => rebuild.putDocuments(documents),
        // Only one process has the store open for writing.
        seal: async () => {},
        commit: () => rebuild.commit(),
        discard: () => rebuild.discard(),
      };
    },
    close: () => store.close(),
  };
}

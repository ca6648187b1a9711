import type { ColumnStore, StoreHandle } from '@logloom/column-store';
import { writeSliceIndex } from '@logloom/column-store/slice-index';
import type { SearchStore } from '../search-store.ts';

/** The store with everything in slices, each with an index of small blocks, after every write. */
export function sealing(store: SearchStore, columns: ColumnStore): SearchStore {
  const settle = async (): Promise<void> => {
    await columns.settle();
    await columns.read('search', async (view) => {
      for (const slice of view.slices) {
        const path = view.besideSlice(slice, 'parquet');
        const small = { blockRows: 7, leastRows: 1 };
        await columns.engine.use((connection) => writeSliceIndex(connection, path, slice.rows, small));
      }
    });
  };
  return {
    ...store,
    index: async (events) => {
      const refused = await store.index(events);
      await settle();
      return refused;
    },
    indexCorrelations: async (documents) => {
      const refused = await store.indexCorrelations(documents);
      await settle();
      return refused;
    },
  };
}

/** A column store of one's own as a handle. */
export function sharing(columns: ColumnStore): Pick<StoreHandle, 'run' | 'close'> {
  return { run: (work) => work(columns), close: () => columns.close() };
}

import { ColumnStore } from '@logloom/column-store';
import { temporaryFolder } from '@logloom/testing';
import { rmSync } from 'node:fs';
import { searchStoreContract } from '../contract/search-store.contract.ts';
import type { SearchStore } from '../search-store.ts';
import { sealing, sharing } from '../testing/sealing.ts';
import { columnSearchStore } from './embedded-search-store.ts';

for (const inSlices of [false, true])
  searchStoreContract(inSlices ? 'embedded, in slices with indexes' : 'embedded', async () => {
    const folder = temporaryFolder('search-store').path;
    let columns = new ColumnStore(folder);
    const open = (): SearchStore => {
      const store = columnSearchStore(sharing(columns));
      return inSlices ? sealing(store, columns) : store;
    };
    let store = open();
    return {
      store,
      reopen: async () => {
        await store.close();
        columns = new ColumnStore(folder);
        return (store = open());
      },
      dispose: async () => {
        await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  });

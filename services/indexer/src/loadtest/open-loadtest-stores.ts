import { mongodbOf, openArchive, type Archive } from '@logloom/archive';
import { elasticsearchOf, openSearchStore, type SearchStore } from '@logloom/search-store';
import { join } from 'node:path';
import type { Settings } from '../settings.ts';
import { guarded, type EngineWatches } from '../watch-engines.ts';

/** The indices of load tests in Elasticsearch, beside those of users. */
const names = { events: 'logloom-loadtest', correlations: 'logloom-loadtest-correlations' };
/** What the names of their collections in MongoDB begin with. */
const collectionPrefix = 'loadtest_';

export interface Stores {
  search: SearchStore;
  archive: Archive;
}

export interface OpenLoadtestStoresOptions {
  readOnly?: boolean;
  epoch?: string | undefined;
  pageBytes?: number;
  onTrouble?: (message: string) => void;
  watches?: EngineWatches;
}

/** The folder of the embedded stores of load tests: it is in no backup. */
export function loadtestFolder({ LOGLOOM_DATA }: Pick<Settings, 'LOGLOOM_DATA'>): string {
  return join(LOGLOOM_DATA, 'loadtest');
}

/**
 * The stores of load tests' events: on the engines of users' stores and by the same code, but others, so that no query, count or job of
 * users has to leave anything out, and all can be removed at once.
 */
export async function openLoadtestStores(
  settings: Settings,
  { watches = {}, ...options }: OpenLoadtestStoresOptions = {},
): Promise<Stores> {
  const folder = loadtestFolder(settings);
  const { pageBytes, ...common } = { ...options, folder };
  const search = await openSearchStore({
    ...elasticsearchOf(settings),
    ...common,
    pageBytes,
    indexMode: settings.ELASTICSEARCH_INDEX_MODE,
    names,
  });
  try {
    const archive = await openArchive({ ...mongodbOf(settings), ...common, collectionPrefix });
    return {
      search: guarded(watches.search, search, {
        repeated: ['index', 'indexCorrelations'],
        unwatched: ['problem'],
      }),
      archive: guarded(watches.archive, archive, {
        repeated: ['put', 'putCorrelations'],
        unwatched: ['problem'],
      }),
    };
  } catch (error) {
    await search.close();
    throw error;
  }
}

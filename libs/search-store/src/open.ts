import type { ElasticsearchAccess } from './elasticsearch/access.ts';
import type { IndexNames } from './elasticsearch/indices.ts';
import {
  openEmbeddedSearchStore,
  type EmbeddedSearchStoreOptions,
} from './embedded/embedded-search-store.ts';
import type { SearchStore } from './search-store.ts';

export interface OpenSearchStoreOptions extends EmbeddedSearchStoreOptions {
  /** The URL of Elasticsearch; undefined: the embedded store. */
  elasticsearchUrl?: string | undefined;
  /** Who asks Elasticsearch, and by which certificates. */
  elasticsearch?: ElasticsearchAccess | undefined;
  /** Gets why a changed file with a credential cannot be used. */
  onTrouble?: ((message: string) => void) | undefined;
  /** How new indices are stored; a rebuild recreates all of them. Default standard. */
  indexMode?: 'standard' | 'logsdb';
  /** The names of the indices in Elasticsearch; default: those of users' events. */
  names?: IndexNames | undefined;
  /** The folder of the embedded store. */
  folder: string;
}

/** The search store that the settings name. Elasticsearch need not be reachable yet. */
export async function openSearchStore(options: OpenSearchStoreOptions): Promise<SearchStore> {
  const { elasticsearchUrl, indexMode = 'standard', folder, readOnly = false } = options;
  const { pageBytes, queryLimitMs = 10_000 } = options;
  if (elasticsearchUrl === undefined) return openEmbeddedSearchStore(folder, options);
  // The client is loaded only here: embedded mode should not spend the time and memory.
  const { ElasticsearchSearchStore } = await import('./elasticsearch/elasticsearch-search-store.ts');
  const store = new ElasticsearchSearchStore(elasticsearchUrl, {
    indexMode,
    readOnly,
    pageBytes,
    queryLimitMs,
    access: options.elasticsearch,
    ...(options.names && { names: options.names }),
    onTrouble: options.onTrouble,
  });
  try {
    await store.checkAccess();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

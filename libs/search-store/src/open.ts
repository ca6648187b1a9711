import type { DamagedFile } from '@logloom/sqlite';
import type { ElasticsearchAccess } from './elasticsearch/access.ts';
import type { IndexNames } from './elasticsearch/indices.ts';
import { openSqliteSearchStore } from './embedded/sqlite-search-store.ts';
import type { SearchStore } from './search-store.ts';

export interface OpenSearchStoreOptions {
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
  /** A page ends after this many bytes; default 8 MiB. */
  pageBytes?: number | undefined;
  /** How long one query may run, in ms; default 10,000. */
  queryLimitMs?: number;
  /** Opens for queries only. */
  readOnly?: boolean;
  /** As SqliteSearchStoreOptions have it. */
  onDamaged?: (damaged: DamagedFile) => void;
  /** The log's epoch, for the writer (see SqliteSearchStoreOptions). */
  epoch?: string | undefined;
}

/** The search store that the settings name. Elasticsearch need not be reachable yet. */
export async function openSearchStore(options: OpenSearchStoreOptions): Promise<SearchStore> {
  const { elasticsearchUrl, indexMode = 'standard', folder, readOnly = false } = options;
  const { onDamaged, epoch, pageBytes, queryLimitMs = 10_000 } = options;
  if (elasticsearchUrl === undefined)
    return openSqliteSearchStore(folder, {
      readOnly,
      epoch,
      pageBytes,
      queryLimitMs,
      ...(onDamaged && { onDamaged }),
    });
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

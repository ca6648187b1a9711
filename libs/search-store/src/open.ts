import type { DamagedFile } from '@logloom/sqlite';
import { openSqliteSearchStore } from './embedded/sqlite-search-store.ts';
import type { SearchStore } from './search-store.ts';

export interface OpenSearchStoreOptions {
  /** Of the Elasticsearch that holds the documents; without it the embedded store does. */
  elasticsearchUrl?: string | undefined;
  /** Of the indices that are made from now on; a rebuild makes all of them anew. Default standard. */
  indexMode?: 'standard' | 'logsdb';
  /** The folder of the embedded store. */
  folder: string;
  /** A page ends after so many bytes; default 8 MiB. */
  pageBytes?: number | undefined;
  /** How long one query may run, in ms; default 10,000. */
  queryLimitMs?: number;
  /** Opens for queries only. */
  readOnly?: boolean;
  /** As SqliteSearchStoreOptions have it. */
  onDamaged?: (damaged: DamagedFile) => void;
  /** The log's; for whoever writes (see SqliteSearchStoreOptions). */
  epoch?: string | undefined;
}

/** The search store that the settings ask for. Elasticsearch need not be reachable yet. */
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
  // Its client takes time and memory that whoever runs embedded need not spend.
  const { ElasticsearchSearchStore } = await import('./elasticsearch/elasticsearch-search-store.ts');
  return new ElasticsearchSearchStore(elasticsearchUrl, { indexMode, readOnly, pageBytes, queryLimitMs });
}

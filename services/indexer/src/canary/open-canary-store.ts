import { openSearchStore, type OpenSearchStoreOptions, type SearchStore } from '@logloom/search-store';
import { join } from 'node:path';
import type { Settings } from '../settings.ts';

/** The indices of the canary in Elasticsearch, beside those of users. */
const names = { events: 'logloom-canary', correlations: 'logloom-canary-correlations' };

/**
 * The canary's own search store, on the same engine as that of users; undefined without a canary. A second store, and not a mark in the first:
 * so no query, count or job of users has to leave anything out.
 */
export async function openCanaryStore(
  settings: Pick<Settings, 'CANARY' | 'LOGLOOM_DATA'>,
  options: Omit<OpenSearchStoreOptions, 'folder' | 'names'>,
): Promise<SearchStore | undefined> {
  if (settings.CANARY === 'off') return undefined;
  // Outside the folder of the stores: it is in no backup.
  return openSearchStore({ ...options, names, folder: join(settings.LOGLOOM_DATA, 'canary') });
}

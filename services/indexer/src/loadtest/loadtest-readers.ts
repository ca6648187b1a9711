import { statSync } from 'node:fs';
import type { Settings } from '../settings.ts';
import {
  loadtestFolder,
  openLoadtestStores,
  type OpenLoadtestStoresOptions,
  type Stores,
} from './open-loadtest-stores.ts';

/** The stores of load tests for queries, which the first one opens. */
export class LoadtestReaders {
  readonly #settings: Settings;
  readonly #options: OpenLoadtestStoresOptions;
  #opened: Promise<Stores> | undefined;
  /** Of the folder whose files are open. */
  #inode: string | undefined;

  constructor(settings: Settings, options: OpenLoadtestStoresOptions) {
    this.#settings = settings;
    this.#options = { ...options, readOnly: true };
  }

  /** Undefined while there is nothing; rejects with the error of an engine that cannot be reached. */
  async open(): Promise<Stores | undefined> {
    const { ELASTICSEARCH_URL, MONGODB_URL } = this.#settings;
    if (ELASTICSEARCH_URL === undefined && MONGODB_URL === undefined) {
      const inode = inodeOf(loadtestFolder(this.#settings));
      // The last ones have expired, and perhaps there are others by now.
      if (inode !== this.#inode) await this.close();
      this.#inode = inode;
      // A query makes no files.
      if (inode === undefined) return undefined;
    }
    return (this.#opened ??= openLoadtestStores(this.#settings, this.#options).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    }));
  }

  async close(): Promise<void> {
    const opening = this.#opened;
    this.#opened = undefined;
    const stores = await opening?.catch(() => undefined);
    await Promise.all([stores?.search.close(), stores?.archive.close()]);
  }
}

/** Tells a folder from one that was removed and made again; undefined where there is none. */
function inodeOf(folder: string): string | undefined {
  const stats = statSync(folder, { throwIfNoEntry: false });
  return stats && `${stats.ino}-${stats.birthtimeMs}`;
}

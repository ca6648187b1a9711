import { DamageNote, isDamaged, setAside, setAsideIfDamaged, type DamagedFile } from '@logloom/sqlite';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { catalogFile } from './catalog.ts';
import { ColumnStore, type ColumnStoreOptions } from './column-store.ts';
import { asUnavailable, isUnreadable } from './store-unavailable.ts';
import { beginTakeOver, takeOver, type TakeOverProgress } from './take-over.ts';
import type { ViewName } from './views.ts';

export interface OpenColumnStoreOptions extends Omit<ColumnStoreOptions, 'onMergeFailed' | 'keepStrays'> {
  /** Called when a damaged file was moved away; the log fills in what it held. */
  onDamaged?: ((damaged: DamagedFile) => void) | undefined;
  /** The epoch of logs.events, for what earlier releases have stored. */
  epoch?: string | undefined;
  /** Told how far the stores of an earlier release are taken over, which goes on in the background. */
  onTakeOver?: ((progress: TakeOverProgress) => void) | undefined;
  /** Told of errors of work in the background, which is tried again. */
  onFailed?: ((error: unknown) => void) | undefined;
}

/** A store that others in this thread may have opened as well. */
export interface StoreHandle {
  /** Whether it may be written. */
  readonly isWriter: boolean;
  /**
   * Runs the work on the store. Errors: StoreUnavailable when the same call may succeed later, such as when the disk is full; a damaged file
   * was moved away then. All other errors as they are.
   */
  run<T>(work: (store: ColumnStore) => Promise<T>): Promise<T>;
  /** The last one closes the store. */
  close(): Promise<void>;
}

/** The stores of this thread by folder: the search store and the archive share one. */
const opened = new Map<string, SharedStore>();

/**
 * Opens the column store of a folder as one of its views. Within a thread, those who open a folder share one store; one that is open for
 * writing also serves those who read.
 */
export function openColumnStore(
  folder: string,
  view: ViewName,
  options: OpenColumnStoreOptions = {},
): StoreHandle {
  const { readOnly = false, onDamaged } = options;
  const key = resolve(folder);
  const writer = opened.get(`${key}/writer`);
  const mode = readOnly && writer === undefined ? 'reader' : 'writer';
  let shared = opened.get(`${key}/${mode}`);
  if (shared === undefined) {
    shared = new SharedStore(key, { ...options, readOnly: mode === 'reader' });
    opened.set(`${key}/${mode}`, shared);
  }
  const store = shared;
  return store.open(readOnly ? undefined : view, readOnly ? undefined : onDamaged, () => {
    if (opened.get(`${key}/${mode}`) === store) opened.delete(`${key}/${mode}`);
  });
}

class SharedStore {
  readonly #folder: string;
  readonly #options: OpenColumnStoreOptions;
  readonly #note: DamageNote;
  readonly #views = new Set<ViewName>();
  readonly #onDamaged = new Set<(damaged: DamagedFile) => void>();
  /** Damage that was found before anybody could be told. */
  #untold: DamagedFile[] = [];
  #handles = 0;
  #store: Promise<ColumnStore>;
  #repairing: Promise<void> | undefined;
  readonly #closing = new AbortController();
  #takenOver: Promise<void> | undefined;

  constructor(folder: string, options: OpenColumnStoreOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#note = new DamageNote(join(folder, 'stores.damaged'));
    mkdirSync(folder, { recursive: true });
    const movedTo = options.readOnly ? undefined : setAsideIfDamaged(this.#catalogPath, Date.now());
    this.#store = this.#openStore(movedTo !== undefined);
    if (movedTo !== undefined)
      this.#untold.push({ file: this.#catalogPath, movedTo, error: new Error('it cannot be read') });
    // Each call reports it.
    this.#store.catch(() => {});
  }

  open(
    view: ViewName | undefined,
    onDamaged: ((damaged: DamagedFile) => void) | undefined,
    onClosed: () => void,
  ): StoreHandle {
    this.#handles++;
    if (view !== undefined) this.#views.add(view);
    if (onDamaged !== undefined) {
      this.#onDamaged.add(onDamaged);
      for (const damaged of this.#untold.splice(0)) onDamaged(damaged);
    }
    let isOpen = true;
    return {
      isWriter: view !== undefined,
      run: async (work) => {
        if (!isOpen) throw new Error('the store is closed');
        return this.#run(work);
      },
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        if (onDamaged !== undefined) this.#onDamaged.delete(onDamaged);
        if (--this.#handles > 0) return;
        onClosed();
        this.#closing.abort();
        await this.#takenOver;
        await this.#store.then(
          (store) => store.close(),
          () => {},
        );
      },
    };
  }

  async #run<T>(work: (store: ColumnStore) => Promise<T>): Promise<T> {
    const { readOnly = false } = this.#options;
    await this.#repairing;
    if (!readOnly && this.#note.take('slices')) await this.#repair(undefined);
    const store = await this.#ready();
    for (const view of this.#views) store.use(view);
    try {
      return await work(store);
    } catch (error) {
      const isSqlite = isDamaged(error);
      if (isSqlite || isUnreadable(error)) {
        if (readOnly) this.#note.leave('slices');
        else await this.#repair(isSqlite ? error : undefined);
      }
      throw asUnavailable(error);
    }
  }

  async #ready(): Promise<ColumnStore> {
    try {
      return await this.#store;
    } catch (error) {
      this.#store = this.#openStore(false);
      this.#store.catch(() => {});
      throw asUnavailable(error);
    }
  }

  /** Moves away what is damaged: the catalog, if that is its error, else the slices that cannot be read. */
  async #repair(catalogError: unknown): Promise<void> {
    this.#repairing ??= this.#repairOnce(catalogError).finally(() => (this.#repairing = undefined));
    return this.#repairing;
  }

  async #repairOnce(catalogError: unknown): Promise<void> {
    const store = await this.#store;
    if (catalogError === undefined) {
      try {
        for (const damaged of await store.setAsideDamaged()) this.#tell(damaged);
        return;
      } catch (error) {
        if (!isDamaged(error)) throw error;
        catalogError = error;
      }
    }
    await store.close().catch(() => {});
    const movedTo = setAside(this.#catalogPath, Date.now());
    this.#store = this.#openStore(true);
    await this.#store;
    this.#tell({ file: this.#catalogPath, movedTo, error: catalogError });
  }

  #tell(damaged: DamagedFile): void {
    const [first] = this.#onDamaged;
    if (first === undefined) this.#untold.push(damaged);
    else first(damaged);
  }

  async #openStore(adoptFiles: boolean): Promise<ColumnStore> {
    const { onFailed } = this.#options;
    const store = new ColumnStore(this.#folder, {
      ...this.#options,
      keepStrays: adoptFiles,
      onMergeFailed: onFailed,
    });
    const isWriter = this.#options.readOnly !== true;
    if (adoptFiles || (isWriter && store.isCatalogLost)) await store.adoptFiles();
    if (isWriter && beginTakeOver(store)) this.#takenOver = this.#takeOver(store);
    return store;
  }

  async #takeOver(store: ColumnStore): Promise<void> {
    const { epoch, onTakeOver, onFailed } = this.#options;
    const options = {
      epoch,
      onProgress: (progress: TakeOverProgress) => onTakeOver?.(progress),
      onFailed: (error: unknown) => onFailed?.(error),
      onDamaged: (damaged: DamagedFile) => this.#tell(damaged),
    };
    await takeOver(store, options, this.#closing.signal).catch(options.onFailed);
  }

  get #catalogPath(): string {
    return join(this.#folder, catalogFile);
  }
}

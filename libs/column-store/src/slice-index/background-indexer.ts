import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import type { Slice } from '../slice.ts';
import { blocksPath } from './slice-index.ts';
import { leastIndexedRows, writeSliceIndex } from './write-slice-index.ts';

/** How often it looks for work. */
const lookMs = 1000;
/** Slices wait for their indexes while events come in, but no longer than that. */
const patienceMs = 10 * 60_000;

export interface BackgroundIndexerDeps {
  catalog: Catalog;
  engine: Engine;
  folder: string;
  onFailed: (error: unknown) => void;
}

/**
 * Writes the indexes of slices that have none, one after the other, while nothing is written: an index costs about as much as storing the
 * rows, and queries do without it, only slower.
 */
export class BackgroundIndexer {
  readonly #deps: BackgroundIndexerDeps;
  readonly #timer: NodeJS.Timeout;
  /** Files that have an index, need none, or failed to get one. */
  readonly #done = new Set<string>();
  #lastWriteMs = -Infinity;
  #waitingSinceMs: number | undefined;
  /** The change of the slices at which none was without an index. */
  #completeAt: number | undefined;
  #working: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(deps: BackgroundIndexerDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  noteWrite(): void {
    this.#lastWriteMs = performance.now();
  }

  /** Writes all indexes that are missing. */
  async finish(): Promise<void> {
    await this.#working;
    for (let slice = this.#next(); slice !== undefined && !this.#closing.signal.aborted; slice = this.#next())
      await (this.#working = this.#index(slice));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.#working;
  }

  #look(): void {
    if (this.#working !== undefined) return;
    const { slicesSeq } = this.#deps.catalog.snapshot();
    if (slicesSeq === this.#completeAt) return;
    const slice = this.#next();
    if (slice === undefined) {
      this.#completeAt = slicesSeq;
      this.#waitingSinceMs = undefined;
      return;
    }
    const now = performance.now();
    this.#waitingSinceMs ??= now;
    if (now - this.#lastWriteMs < lookMs && now - this.#waitingSinceMs < patienceMs) return;
    this.#working = this.#index(slice);
  }

  /** The latest one: it is asked most. */
  #next(): Slice | undefined {
    return this.#deps.catalog
      .slices()
      .find(({ kind, rows, file }) => kind === 'events' && rows >= leastIndexedRows && !this.#done.has(file));
  }

  async #index({ file, rows }: Slice): Promise<void> {
    const { engine, folder, onFailed } = this.#deps;
    const path = join(folder, file);
    this.#done.add(file);
    try {
      if (!existsSync(blocksPath(path)))
        await engine.use((connection) =>
          writeSliceIndex(connection, path, rows, { signal: this.#closing.signal }),
        );
    } catch (error) {
      // It was merged or removed meanwhile.
      if (existsSync(path)) onFailed(error);
    } finally {
      this.#working = undefined;
    }
  }
}

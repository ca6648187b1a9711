import type { Client, estypes } from '@elastic/elasticsearch';
import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { randomBytes } from 'node:crypto';
import type { SearchRebuild } from '../search-store.ts';
import { createEvent, firstOfEachId, putCorrelation } from './actions.ts';
import { BulkWriter, type BulkSettings } from './bulk.ts';
import { asStoreError } from './errors.ts';
import { removeUnfinished, sealServing, storeIndices } from './generations.ts';
import { eventIndex, rebuiltIndex, type IndexNames } from './indices.ts';
import { correlationIndexBody, eventIndexBody, refreshInterval, type IndexSettings } from './templates.ts';

export interface RebuildTarget {
  client: Client;
  names: IndexNames;
  settings: IndexSettings;
  bulk: BulkSettings;
}

/**
 * A second set of indices, `logloom-rebuilt-<8 digits>-<name>`, which no `logs*` finds. commit() is one call: it removes the serving
 * indices and turns their names, and the alias of all, into aliases of the new ones. So a writer to `logs-2026.11.25` need not know about
 * it. A new rebuild removes the indices of earlier ones, which can then only fail.
 */
export class ElasticsearchRebuild implements SearchRebuild {
  readonly #client: Client;
  readonly #names: IndexNames;
  readonly #settings: IndexSettings;
  readonly #writer: BulkWriter;
  readonly #id = randomBytes(4).toString('hex');
  /** By the name under which they will serve. */
  readonly #made = new Map<string, Promise<unknown>>();
  #sealed: string[] = [];
  #isOver = false;

  private constructor({ client, names, settings, bulk }: RebuildTarget) {
    this.#client = client;
    this.#names = names;
    this.#settings = settings;
    this.#writer = new BulkWriter(client, { ...bulk, refresh: false, requireAlias: true });
  }

  static async begin(target: RebuildTarget): Promise<ElasticsearchRebuild> {
    const rebuild = new ElasticsearchRebuild(target);
    return rebuild.#attempt(async () => {
      await removeUnfinished(target.client, target.names);
      // Even an empty log needs one index, by which an unfinished rebuild is recognized.
      await rebuild.#make(target.names.correlations);
      return rebuild;
    });
  }

  async index(events: readonly PlacedEvent[]): Promise<void> {
    await this.#attempt(async () => {
      const nameOf = (event: PlacedEvent): string => eventIndex(this.#names, event);
      await Promise.all([...new Set(events.map(nameOf))].map((name) => this.#make(name)));
      await this.#writer.write(firstOfEachId(events), (event) =>
        createEvent(this.#writeAlias(nameOf(event)), event),
      );
    });
  }

  async indexCorrelations(documents: readonly Correlation[]): Promise<void> {
    const index = this.#writeAlias(this.#names.correlations);
    await this.#attempt(() => this.#writer.write(documents, (document) => putCorrelation(index, document)));
  }

  async seal(): Promise<void> {
    await this.#attempt(async () => {
      this.#sealed = await sealServing(this.#client, this.#names);
    });
  }

  async commit(): Promise<void> {
    await this.#attempt(async () => {
      const index = rebuiltIndex(this.#id, '*');
      await this.#client.indices.putSettings({ index, settings: { refresh_interval: refreshInterval } });
      await this.#client.indices.refresh({ index });
      await this.#client.indices.updateAliases({ actions: await this.#exchange() });
      this.#isOver = true;
    });
  }

  async discard(): Promise<void> {
    this.#writer.close();
    // Also after a commit() whose answer was lost: serving indices stay.
    if (!this.#isOver) await this.#attempt(() => removeUnfinished(this.#client, this.#names));
    this.#isOver = true;
  }

  /**
   * All or nothing. An index that was created since seal(), for a day that had none, continues to serve beside the new ones; if they have
   * that day too, the call fails.
   */
  async #exchange(): Promise<estypes.IndicesUpdateAliasesAction[]> {
    const old = (await storeIndices(this.#client, this.#names)).filter(
      ({ index, isServing }) => isServing && this.#sealed.includes(index),
    );
    return [
      ...old.map(({ index }) => ({ remove_index: { index } })),
      ...[...this.#made.keys()].flatMap((name) => {
        const index = rebuiltIndex(this.#id, name);
        const aliases = name === this.#names.correlations ? [name] : [name, this.#names.events];
        return [
          ...aliases.map((alias) => ({ add: { index, alias } })),
          { remove: { index, alias: this.#writeAlias(name) } },
        ];
      }),
    ];
  }

  #writeAlias(name: string): string {
    return `logloom-rebuild-${this.#id}-${name}`;
  }

  #make(name: string): Promise<unknown> {
    let making = this.#made.get(name);
    if (making === undefined) {
      const isEvents = name !== this.#names.correlations;
      const body = isEvents ? eventIndexBody(this.#settings) : correlationIndexBody(this.#settings);
      making = this.#client.indices.create({
        index: rebuiltIndex(this.#id, name),
        // Nobody searches before commit(), and each refresh would cost a segment.
        settings: { index: { ...body.settings.index, refresh_interval: -1 } },
        mappings: body.mappings,
        aliases: { [this.#writeAlias(name)]: {} },
      });
      this.#made.set(name, making);
    }
    return making;
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asStoreError(error);
    }
  }
}

import { Client } from '@elastic/elasticsearch';
import type { PlacedEvent } from '@logloom/schemas';
import { placedEvent } from '@logloom/testing';
import { randomUUID } from 'node:crypto';
import {
  ElasticsearchSearchStore,
  type ElasticsearchSearchStoreOptions,
} from '../elasticsearch/elasticsearch-search-store.ts';
import type { IndexNames } from '../elasticsearch/indices.ts';

/** For tests and benchmarks: a store with indices of its own, and a plain client beside it. They are removed at the end. */
export function openTestStore(url: string, options: ElasticsearchSearchStoreOptions = {}) {
  const id = randomUUID();
  const names: IndexNames = { events: `test-${id}`, correlations: `test-correlations-${id}` };
  const client = new Client({ node: url });
  const stores: ElasticsearchSearchStore[] = [];
  const open = (): ElasticsearchSearchStore => {
    const store = new ElasticsearchSearchStore(url, { ...options, names });
    stores.push(store);
    return store;
  };
  const indices = async (pattern: string): Promise<string[]> =>
    (await client.indices.resolveIndex({ name: pattern })).indices.map(({ name }) => name).sort();
  return {
    names,
    client,
    store: open(),
    /** The same store anew. */
    open,
    eventIndices: () => indices(`${names.events}*`),
    /** Those of a rebuild, whether they serve or not. */
    rebuiltIndices: () => indices(`logloom-rebuilt-*-${names.events}*`),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all(stores.map((store) => store.close()));
      const made = await indices(`*${id}*`);
      if (made.length > 0) await client.indices.delete({ index: made });
      const name = [`logloom-${names.events}`, names.correlations];
      await client.indices.deleteIndexTemplate({ name }, { ignore: [404] });
      await client.close();
    },
  };
}

export type TestStore = ReturnType<typeof openTestStore>;

/** An event that was received when it happened. */
export function testEvent(offset: number, timestamp: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  const receivedAt = Math.floor(timestamp / 1000);
  return placedEvent(offset, { id: `http-p-0-${offset}`, timestamp, receivedAt, ...rest });
}

import { compilePredicate, FilterSubject, parseFilter } from '@logloom/filter';
import { corpusEvents, corpusFilters, generateCorpusEvents } from '@logloom/filter/corpus';
import type { PlacedEvent } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@elastic/elasticsearch';
import { startStack } from '../../../infra/local/start-stack.ts';
import type { IndexNames } from './elasticsearch-indices.ts';
import { ElasticsearchSearchStore, type ElasticsearchSearchStoreOptions } from './elasticsearch.ts';
import { searchStoreContract } from './search-store.contract.ts';
import { SearchStoreError, type SearchStore } from './search-store.ts';

const stack = await startStack({ only: ['elasticsearch'] });
const skip = stack.missing.elasticsearch ?? false;
const url = stack.env['ELASTICSEARCH_URL'] ?? '';
const visible = { bulk: { refresh: true } };

describe('the Elasticsearch search store', { skip }, () => {
  after(() => stack.stop());

  for (const indexMode of ['standard', 'logsdb'] as const) {
    searchStoreContract(`elasticsearch, ${indexMode}`, async () => {
      const own = testIndices();
      const options = { ...visible, indexMode, names: own.names };
      let store = new ElasticsearchSearchStore(url, options);
      return {
        store,
        reopen: async () => {
          await store.close();
          return (store = new ElasticsearchSearchStore(url, options));
        },
        dispose: async () => {
          await store.close();
          await own.remove();
        },
      };
    });
  }

  test('every filter of the corpus finds what its predicate finds, and so does its opposite', async () => {
    await using own = openStore(visible);
    const events = [...corpusEvents, ...generateCorpusEvents(1500)];
    const subjects = events.map((event) => new FilterSubject(event));
    assert.deepEqual(await own.store.index(events), []);
    for (const text of corpusFilters) {
      for (const filter of [filterOf(text), filterOf(`NOT (${text || '*'})`)]) {
        const wanted = subjects.filter(compilePredicate(filter)).map(({ event }) => event.id);
        const page = await own.store.search({ filter, limit: 5000, order: 'asc' });
        assert.deepEqual(page.events.map((e) => e.id).sort(), wanted.sort(), filter.canonical);
      }
    }
  });
});

/** Indices of the test's own. */
function testIndices() {
  const id = randomUUID();
  const names: IndexNames = { events: `test-${id}`, correlations: `test-correlations-${id}` };
  const remove = async (): Promise<void> => {
    const client = new Client({ node: url });
    for (const pattern of Object.values(names)) {
      const { indices } = await client.indices.resolveIndex({ name: `${pattern}*` });
      for (const { name } of indices) await client.indices.delete({ index: name });
    }
    await client.indices.deleteIndexTemplate({ name: [`logloom-${names.events}`] }, { ignore: [404] });
    await client.indices.deleteIndexTemplate({ name: [names.correlations] }, { ignore: [404] });
    await client.close();
  };
  return { names, remove };
}

function openStore(options: ElasticsearchSearchStoreOptions = {}) {
  const { names, remove } = testIndices();
  const store = new ElasticsearchSearchStore(url, { ...options, names });
  return {
    store,
    names,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await remove();
    },
  };
}

function filterOf(text: string) {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

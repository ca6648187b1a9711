import { parseFilter } from '@logloom/filter';
import { parseMicros, type PlacedEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { shareStack } from '../../../../infra/local/shared-stack.ts';
import { SearchStoreError, type SearchStore } from '../search-store.ts';
import { openTestStore, testEvent, type TestStore } from '../testing/elasticsearch-test-store.ts';
import { ElasticsearchSearchStore } from './elasticsearch-search-store.ts';
import { eventIndex, strayIndex } from './indices.ts';

const { stack, release } = await shareStack({ only: ['elasticsearch'] });
const skip = stack.missing.elasticsearch ?? false;
const url = stack.env['ELASTICSEARCH_URL'] ?? '';

const dayMicros = 86_400_000_000;
const firstDay = parseMicros('2024-05-01T00:00:00Z');

describe('the Elasticsearch search store under faults', { skip, timeout: 300_000 }, () => {
  after(release);

  test('only what the server has no room for is sent again, until it has', async () => {
    await using own = openTestStore(url, { bulk: { refresh: true, attempts: 1000, maxBackoffMs: 200 } });
    const [free, full] = [testEvent(1, firstDay), testEvent(2, firstDay + dayMicros)];
    await own.store.index([{ ...full, id: 'makes the index' }]);
    const index = eventIndex(own.names, full);
    // What a server does to itself when its disk is nearly full: 429 for each document.
    await own.client.indices.putSettings({
      index,
      settings: { 'index.blocks.read_only_allow_delete': true },
    });
    let isDone = false;
    const writing = own.store.index([free, full]).then((refused) => {
      isDone = true;
      return refused;
    });
    while ((await own.store.counts()).events < 2) await sleep(20);
    assert.equal(isDone, false);
    await own.client.indices.putSettings({
      index,
      settings: { 'index.blocks.read_only_allow_delete': null },
    });
    assert.deepEqual(await writing, []);
    assert.deepEqual(await own.store.counts(), { events: 3, correlations: 0 });
    assert.equal((await own.store.event(free.id))?.offset, 1);
  });

  test('what is no fault of the document is never refused, but given back for later', async () => {
    await using own = openTestStore(url, { bulk: { attempts: 2, backoffMs: 1 } });
    const event = testEvent(1, firstDay);
    await own.store.index([event]);
    const index = eventIndex(own.names, event);
    await own.client.indices.putSettings({ index, settings: { 'index.blocks.write': true } });
    await assert.rejects(own.store.index([testEvent(2, firstDay)]), isRetriable);
    await own.client.indices.close({ index });
    await assert.rejects(own.store.index([testEvent(3, firstDay)]), isRetriable);
  });

  test('what a mapping cannot read is refused with the reason, and the rest is stored', async () => {
    await using own = openTestStore(url, { bulk: { refresh: true } });
    await own.client.indices.create({
      index: strayIndex(own.names),
      mappings: {
        properties: { message: { type: 'long' }, logloom: { properties: { id: { type: 'keyword' } } } },
      },
      aliases: { [own.names.events]: {} },
    });
    const events = ['5', 'no number', '7'].map((message, i) =>
      testEvent(i, firstDay, { message, receivedAt: 0 }),
    );
    const refused = await own.store.index(events);
    assert.deepEqual(
      refused.map(({ item }) => item),
      [events[1]],
    );
    assert.match(refused[0]!.reason, /document_parsing_exception: .*message/);
    assert.equal((await own.store.counts()).events, 2);
  });

  test('a day can be searched from its first event on', async () => {
    await using own = openTestStore(url, { bulk: { refresh: true } });
    for (let day = 0; day < 10; day++) {
      const [writing, counts] = [
        own.store.index([testEvent(day, firstDay + day * dayMicros)]),
        own.store.counts(),
      ];
      await Promise.all([writing, counts]);
      assert.equal((await own.store.counts()).events, day + 1);
    }
  });

  test('whenever a rebuild dies, the whole old store answers or the whole new one, and the next begins clean', async () => {
    await using own = openTestStore(url, { bulk: { refresh: true, attempts: 1 } });
    const timestamps = [0, 1, 2, 2].map((day, i) => firstDay + day * dayMicros + i);
    const everything = parseFilter('');
    assert.ok(everything.ok);
    const { filter } = everything;
    const messages = async (): Promise<string[]> => {
      const { events } = await own.store.search({ filter, limit: 100, order: 'asc' });
      const counted = await own.client.count({ index: `${own.names.events}*` });
      assert.equal(counted.count, events.length, 'a plain count sees nothing else');
      return events.map(({ message }) => message);
    };
    const all = (message: string): string[] => timestamps.map(() => message);
    await own.store.index(timestamps.map((at, i) => testEvent(i, at, { message: 'old' })));
    for (const stage of ['indexed', 'sealed']) {
      await rebuildAndDie(own, timestamps, stage);
      assert.deepEqual(await messages(), all('old'));
      assert.notDeepEqual(await own.rebuiltIndices(), []);
    }
    await assert.rejects(own.store.index([testEvent(99, firstDay)]), isRetriable);
    await rebuildAndDie(own, timestamps, 'committing');
    const [either] = await messages();
    assert.ok(either === 'old' || either === 'before it was committing', either);
    assert.deepEqual(await messages(), all(either));
    await rebuildAndDie(own, timestamps, 'committed');
    assert.deepEqual(await messages(), all('before it was committed'));
    await (await own.store.rebuild()).discard();
    assert.equal((await own.rebuiltIndices()).length, 3, 'one a day, all serving');
    // Writes that a dead rebuild held up are taken again, under the names of old.
    assert.deepEqual(await own.store.index([testEvent(99, firstDay), testEvent(0, firstDay)]), []);
    assert.equal((await messages()).length, timestamps.length + 1);
  });

  test('a server that is not there is one that may come back', async () => {
    const store = new ElasticsearchSearchStore('http://127.0.0.1:1', { bulk: { attempts: 1 } });
    await assert.rejects(store.index([testEvent(1, firstDay)]), isRetriable);
    await assert.rejects(store.counts(), isRetriable);
    await store.close();
  });

  test('killed while bulks are under way, it has lost nothing that was acknowledged and has nothing twice', async () => {
    await using own = openTestStore(url, { bulk: { maxDocuments: 100, attempts: 1 } });
    const events = Array.from({ length: 9000 }, (_, i) =>
      testEvent(i, firstDay + (i % 3) * dayMicros + i * 1000),
    );
    for (let start = 0; start < events.length; start += 3000) {
      const batch = events.slice(start, start + 3000);
      const writing = untilStored(own.store, batch);
      if (start > 0) {
        await untilBegun(own, batch);
        await stack.elasticsearch.kill('SIGKILL');
        await stack.elasticsearch.start();
      }
      await writing;
    }
    assert.deepEqual(await own.store.index(events), []);
    await own.client.indices.refresh({ index: own.names.events });
    assert.equal((await own.client.count({ index: own.names.events })).count, events.length);
    assert.equal((await own.store.counts()).events, events.length);
    assert.equal((await own.store.event('http-p-0-8999'))?.offset, 8999);
  });
});

/** Runs a rebuild of these timestamps in a process of its own that dies at the stage. */
async function rebuildAndDie({ names }: TestStore, timestamps: number[], stage: string): Promise<void> {
  const file = new URL('../testing/elasticsearch-rebuild.child.ts', import.meta.url);
  const child = fork(file, [url, names.events, names.correlations, JSON.stringify(timestamps), stage]);
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
}

/** As the indexer does: what is retriable is given again, forever. */
async function untilStored(store: SearchStore, events: readonly PlacedEvent[]): Promise<void> {
  for (;;) {
    try {
      assert.deepEqual(await store.index(events), []);
      return;
    } catch (error) {
      if (!isRetriable(error)) throw error;
      await sleep(50);
    }
  }
}

/** Until the server has something of the batch, whose rest is on its way. */
async function untilBegun({ client, names }: TestStore, [event]: readonly PlacedEvent[]): Promise<void> {
  while (!(await client.exists({ index: eventIndex(names, event!), id: event!.id }))) await sleep(1);
}

function isRetriable(error: unknown): boolean {
  return error instanceof SearchStoreError && error.retriable;
}

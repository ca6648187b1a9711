import { compilePredicate, FilterSubject, parseFilter, type Filter } from '@logloom/filter';
import { corpusEvents, corpusFilters, generateCorpusEvents } from '@logloom/filter/corpus';
import { parseMicros, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { settingsOf } from '@logloom/settings';
import { correlationDocument, eventually, temporaryFolder } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { shareStack } from '../../../../infra/local/shared-stack.ts';
import { createStackSecurity, SecuredProxy } from '../../../../infra/local/start-stack.ts';
import { searchStoreContract } from '../contract/search-store.contract.ts';
import { openSearchStore } from '../open.ts';
import type { SearchStore } from '../search-store.ts';
import { elasticsearchOf, searchStoreSettings } from '../settings.ts';
import { openTestStore, testEvent } from '../testing/elasticsearch-test-store.ts';

const { stack, release } = await shareStack({ only: ['elasticsearch'] });
const skip = stack.missing.elasticsearch ?? false;
const url = stack.env['ELASTICSEARCH_URL'] ?? '';
const visible = { bulk: { refresh: true } };

const dayMicros = 86_400_000_000;
const firstDay = parseMicros('2024-05-01T00:00:00Z');

describe('the Elasticsearch search store', { skip, concurrency: 4, timeout: 600_000 }, () => {
  after(release);

  for (const indexMode of ['standard', 'logsdb'] as const) {
    searchStoreContract(`elasticsearch, ${indexMode}`, async () => {
      const own = openTestStore(url, { ...visible, indexMode });
      // In one of the modes all of it also holds of indices that a rebuild has made.
      if (indexMode === 'logsdb') await rebuilt(own.store);
      return {
        store: own.store,
        reopen: async () => {
          await own.store.close();
          return own.open();
        },
        dispose: () => own[Symbol.asyncDispose](),
      };
    });
  }

  test('behind TLS and an API key: several nodes, one away, and a key that changes', async (t) => {
    using certificates = temporaryFolder('elasticsearch-certificates');
    const security = await createStackSecurity(certificates.path, t.signal);
    const { ca, client } = security;
    let key = 'first';
    let mayWrite = true;
    // The node itself has no security, which is not published for it: a proxy stands for what a secured one wants.
    using proxy = await SecuredProxy.start({
      security,
      target: url,
      wantsCertificate: true,
      refuse: ({ headers, url: path }) => {
        if (headers.authorization !== `ApiKey ${key}`) return 401;
        return mayWrite || path?.startsWith('/_bulk') !== true ? undefined : 403;
      },
    });
    using folder = temporaryFolder('elasticsearch-key');
    const keyFile = join(folder.path, 'key');
    writeFileSync(keyFile, key);
    const address = proxy.url;
    const env = {
      ELASTICSEARCH_URL: address,
      ELASTICSEARCH_API_KEY_FILE: keyFile,
      ELASTICSEARCH_TLS_CA_FILE: ca,
      ELASTICSEARCH_TLS_CERT_FILE: client.cert,
      ELASTICSEARCH_TLS_KEY_FILE: client.key,
    };
    const open = (
      changed: Record<string, string | undefined> = {},
      { readOnly = true } = {},
    ): Promise<SearchStore> => {
      const settings = settingsOf(searchStoreSettings).parse({ ...env, ...changed });
      return openSearchStore({ ...elasticsearchOf(settings), folder: '/none', readOnly });
    };
    const refusals: [Record<string, string | undefined>, RegExp][] = [
      [{ ELASTICSEARCH_API_KEY_FILE: undefined, ELASTICSEARCH_API_KEY: 'not-it' }, /ELASTICSEARCH_API_KEY/],
      [{ ELASTICSEARCH_TLS_CA_FILE: undefined }, /ELASTICSEARCH_TLS_CA/],
      [
        { ELASTICSEARCH_TLS_CERT_FILE: undefined, ELASTICSEARCH_TLS_KEY_FILE: undefined },
        /ELASTICSEARCH_TLS_CERT/,
      ],
    ];
    for (const [changed, reason] of refusals)
      await assert.rejects(open(changed), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'engine-access-denied', error.message);
        assert.match(error.message, reason);
        return !error.message.includes('not-it');
      });
    // A node that is away is passed over.
    const store = await open({ ELASTICSEARCH_URL: `https://localhost:1,${address}` });
    await eventually('an answer of the other node', async () => (await store.counts()).events >= 0);
    key = 'second';
    await assert.rejects(store.counts(), { code: 'store-unavailable', retriable: true });
    assert.match(store.problem!()!, /^Elasticsearch \(ELASTICSEARCH_URL\): .*\(401\): ELASTICSEARCH_API_KEY/);
    writeFileSync(keyFile, key);
    await eventually('the new key', async () => (await store.counts().catch(() => undefined)) !== undefined);
    assert.equal(store.problem!(), undefined);
    await store.close();

    // A key that may read alone: reading says nothing about writing.
    mayWrite = false;
    const writer = await open({}, { readOnly: false });
    const event = testEvent(1, firstDay);
    await assert.rejects(writer.index([event]), { code: 'store-unavailable', retriable: true });
    await writer.counts();
    assert.match(writer.problem!()!, /its role lacks a permission \(403\): ELASTICSEARCH_API_KEY/);
    mayWrite = true;
    assert.deepEqual(await writer.index([event]), []);
    assert.equal(writer.problem!(), undefined);
    await writer.close();
  });

  test('every filter of the corpus finds what its predicate finds, and so does its opposite', async () => {
    await using own = openTestStore(url, visible);
    const events = [...corpusEvents, ...generateCorpusEvents(400)];
    const subjects = events.map((event) => new FilterSubject(event));
    assert.deepEqual(await own.store.index(events), []);
    for (const text of corpusFilters) {
      for (const filter of [filterOf(text), filterOf(`NOT (${text || '*'})`)]) {
        const wanted = subjects.filter(compilePredicate(filter)).map(({ event }) => event.id);
        assert.deepEqual((await found(own.store, filter)).sort(), wanted.sort(), filter.canonical);
      }
    }
  });

  test('what is asked at the limits of the types is answered', async () => {
    await using own = openTestStore(url, visible);
    await own.store.index([testEvent(1, firstDay)]);
    for (const text of ['offset:<9007199254740991', 'offset:>-9007199254740991', 'offset:{0.5 TO 1.5]'])
      assert.deepEqual(await found(own.store, filterOf(text)), ['http-p-0-1'], text);
    await own.store.indexCorrelations([document(1, 1)]);
    for (const text of [
      'eventCount:<1e300',
      'NOT revision:>1e30',
      'durationMs:>=-1e300',
      'NOT revision:1.5',
    ]) {
      const { correlations } = await own.store.correlations({ filter: filterOf(text), limit: 1 });
      assert.equal(correlations.length, 1, text);
    }
  });

  test('values of an attribute are counted under any name, as what they were', async () => {
    await using own = openTestStore(url, visible);
    const name = 'a.b*[c]"#@&<~/é\\ ';
    const values = [7, '7.0', true, 'x*'];
    await own.store.index(
      values.map((value, i) => testEvent(i, firstDay + i, { attributes: JSON.stringify({ [name]: value }) })),
    );
    await own.store.index([testEvent(9, firstDay, { attributes: '{"a.b":1}' })]);
    const field = `attributes.${name}`;
    const top = await own.store.topValues({ filter: filterOf(''), field, limit: 10 });
    const wanted = values.map((value) => ({ value, count: 1 }));
    assert.deepEqual(top, { values: wanted, other: 0, missing: 1 });
    assert.ok((await own.store.fields()).includes(field));
  });

  test('whatever an event holds, it is taken and given back as it was', async () => {
    await using own = openTestStore(url, visible);
    let runs = 0;
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '.', 'a.', '__proto__', 'a\0b'),
    );
    const attributes = fc
      .dictionary(text, fc.jsonValue({ stringUnit: 'binary' }))
      .map((value) => JSON.stringify(value));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ message: text, service: text, host: fc.option(text), attributes }), {
          minLength: 1,
        }),
        async (parts) => {
          runs++;
          const events = parts.map((part, i) => testEvent(i, firstDay, { ...part, id: `${runs}-${i}` }));
          assert.deepEqual(await own.store.index(events), []);
          for (const { source, receivedAt, ...event } of events)
            assert.deepEqual(await own.store.event(event.id), event);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('values without end are taken too, and words are found by their beginning and whole', async () => {
    await using own = openTestStore(url, visible);
    const word = 'x'.repeat(300);
    const huge = 'é'.repeat(40_000);
    const long = testEvent(1, firstDay, { message: `a ${word}1 ${huge} b`, id: 'i'.repeat(2000) });
    const other = testEvent(2, firstDay, {
      service: huge,
      correlationId: huge,
      message: `${word}2`,
      attributes: JSON.stringify({ [huge]: 1, a: huge, b: [huge, 'kept'] }),
    });
    assert.deepEqual(await own.store.index([long, other, long]), []);
    assert.deepEqual(await found(own.store, filterOf(`${word}1`)), [long.id]);
    assert.deepEqual(await found(own.store, filterOf(`"a ${word}1"`)), [long.id]);
    assert.deepEqual(await found(own.store, filterOf('"a b"')), []);
    assert.deepEqual(await found(own.store, filterOf('xxx*')), [long.id, other.id]);
    assert.deepEqual(await found(own.store, filterOf('b:kept')), [other.id]);
    assert.equal((await own.store.event(other.id))?.service, huge);
    assert.equal((await own.store.event(long.id))?.message, long.message);
  });

  test('each day has an index, stray times share one, and Elasticsearch itself counts the same', async () => {
    await using own = openTestStore(url, visible);
    const days = [0, 1, 1, 2].map((day, i) => testEvent(i, firstDay + day * dayMicros + i));
    const strays = Array.from({ length: 100 }, (_, i) =>
      testEvent(1000 + i, firstDay + i * 400 * dayMicros, { receivedAt: firstDay / 1000 - 40 * 86_400_000 }),
    );
    await own.store.index([...days, ...strays]);
    assert.deepEqual(await own.eventIndices(), [
      ...['2024.05.01', '2024.05.02', '2024.05.03', 'other'].map((name) => `${own.names.events}-${name}`),
    ]);
    assert.equal((await own.client.count({ index: own.names.events })).count, 104);
    assert.equal((await own.store.counts()).events, 104);
  });

  test('retention takes whole days away, and of the rest what is older', async () => {
    await using own = openTestStore(url, visible);
    await own.store.index([0, 1, 2, 2.5, 3].map((day, i) => testEvent(i, firstDay + day * dayMicros)));
    await own.store.index([testEvent(9, firstDay, { receivedAt: 0 })]);
    await own.store.indexCorrelations([document(1, 1), document(2, 1, { lastAt: firstDay + 3 * dayMicros })]);
    assert.equal(await own.store.deleteBefore(firstDay + 2.2 * dayMicros), 4);
    assert.deepEqual(await found(own.store, filterOf('')), ['http-p-0-3', 'http-p-0-4']);
    const left = await own.eventIndices();
    assert.ok(!left.some((name) => /05\.0[12]$/.test(name)), left.join());
    assert.equal(await own.store.correlation('0-1'), undefined);
    await own.store.indexCorrelations([document(1, 1), document(1, 2)]);
    assert.equal((await own.store.correlation('0-1'))?.revision, 2);
  });

  test('a reader needs no index to be there, and cannot write', async () => {
    await using own = openTestStore(url, { readOnly: true });
    assert.deepEqual(await own.store.counts(), { events: 0, correlations: 0 });
    assert.deepEqual(await found(own.store, filterOf('a')), []);
    const top = await own.store.topValues({ filter: filterOf(''), field: 'service', limit: 5 });
    assert.deepEqual(top, { values: [], other: 0, missing: 0 });
    await assert.rejects(own.store.index([testEvent(1, firstDay)]), TypeError);
  });
});

async function rebuilt(store: SearchStore): Promise<void> {
  const rebuild = await store.rebuild();
  await rebuild.seal();
  await rebuild.commit();
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

async function found(store: SearchStore, filter: Filter): Promise<string[]> {
  return (await store.search({ filter, limit: 5000, order: 'asc' })).events.map(
    (e: Pick<PlacedEvent, 'id'>) => e.id,
  );
}

function document(firstOffset: number, revision: number, rest: Partial<Correlation> = {}): Correlation {
  const [firstAt, lastAt] = [firstDay, firstDay];
  return correlationDocument(`0-${firstOffset}`, { revision, firstAt, lastAt, firstOffset, ...rest });
}

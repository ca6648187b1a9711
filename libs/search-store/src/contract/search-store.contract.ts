import { compilePredicate, FilterSubject, parseFilter, type Filter } from '@logloom/filter';
import { type Correlation, type Level, type PlacedEvent } from '@logloom/schemas';
import { correlationDocument, placedEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCancellable } from '../cancellation.ts';
import { SearchStoreError, type SearchQuery, type SearchStore } from '../search-store.ts';
import { aggregateContract } from './aggregate.contract.ts';
import { scanContract } from './scan.contract.ts';

/** Opens a new, empty store; `reopen` returns the same store anew, after a restart; `dispose` removes it. */
export type SearchStoreFactory = () => Promise<{
  store: SearchStore;
  reopen: () => Promise<SearchStore>;
  dispose: () => Promise<void>;
}>;

/** Registers the tests that every adapter of the search store has to pass. */
export function searchStoreContract(name: string, create: SearchStoreFactory): void {
  const withStore = (
    title: string,
    run: (store: SearchStore, reopen: () => Promise<SearchStore>) => Promise<void>,
  ): void => {
    test(`${name}: ${title}`, async () => {
      const { store, reopen, dispose } = await create();
      try {
        await run(store, reopen);
      } finally {
        await dispose();
      }
    });
  };

  aggregateContract(withStore);
  scanContract(withStore);

  withStore('an event is found at once, whole, and after a restart', async (store, reopen) => {
    const { source, receivedAt, ...found } = event(1, 10, {
      host: 'h',
      message: 'Grüße, WORLD',
      attributes: '{"a":1.50}',
    });
    await store.index([{ source, receivedAt, ...found }]);
    assert.deepEqual(await store.event(found.id), found);
    assert.deepEqual((await store.search(query('message:grüße'))).events, [found]);
    const again = await reopen();
    assert.deepEqual((await again.search(query('message:world'))).events, [found]);
    assert.equal(await again.event('unknown'), undefined);
  });

  withStore('of two events with one id the first stays, in every response', async (store) => {
    await store.index([event(1, 10, { message: 'first' }), event(1, 11, { message: 'second' })]);
    await store.index([event(1, 12, { message: 'third' }), event(2, 13, { message: 'other' })]);
    assert.deepEqual(await ids(store, 'first'), ['http-p-0-1']);
    assert.deepEqual(await ids(store, 'second OR third'), []);
    assert.deepEqual(await ids(store, 'other'), ['http-p-0-2']);
    assert.deepEqual(await store.counts(), { events: 2, correlations: 0 });
  });

  withStore('a filter finds what its predicate finds', async (store) => {
    const events = variedEvents(300);
    await store.index(events.slice(0, 170));
    await store.index(events.slice(170));
    for (const text of filters) {
      const matches = compilePredicate(filterOf(text));
      const wanted = events.filter((e) => matches(new FilterSubject(e)));
      const { total, events: found } = await store.search(query(text, { limit: 1000 }));
      assert.deepEqual(total, { value: wanted.length, exact: true }, text);
      assert.deepEqual(found.map((e) => e.id).sort(), wanted.map((e) => e.id).sort(), text);
    }
  });

  withStore('pages give each event once, in order, with equal timestamps, both ways', async (store) => {
    const events = variedEvents(300).map((e) => ({ ...e, timestamp: Math.floor(e.offset / 40) * 1000 }));
    await store.index(events);
    const paged = async (order: 'asc' | 'desc', limit: number): Promise<string[]> => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.search(query('NOT level:info', { order, limit, cursor, fromMicros: 1000 }));
        assert.ok(page.events.length <= limit);
        assert.deepEqual(page.total, { value: wanted.length, exact: true });
        found.push(...page.events.map((e) => e.id));
        cursor = page.next;
      } while (cursor !== undefined);
      return found;
    };
    const wanted = events.filter((e) => e.level !== 'info' && e.timestamp >= 1000).map((e) => e.id);
    assert.deepEqual(await paged('asc', 7), wanted);
    assert.deepEqual(await paged('desc', 11), wanted.toReversed());
    assert.deepEqual(await paged('asc', wanted.length), wanted);
  });

  withStore('a page ends early when its events are large, and nothing is left out', async (store) => {
    const message = `large ${'x'.repeat(900_000)}`;
    const events = Array.from({ length: 24 }, (_, i) => event(i, 10 + Math.floor(i / 5), { message }));
    await store.index(events);
    const found: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await store.search(query('', { limit: 1000, order: 'asc', cursor }));
      assert.deepEqual(page.total, { value: 24, exact: true });
      assert.ok(page.events.length > 0 && page.events.length <= 10, '8 MiB and one event');
      found.push(...page.events.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined && ++pages < 24);
    assert.deepEqual(
      found,
      events.map(({ id }) => id),
    );
  });

  withStore('without a page it only counts', async (store) => {
    await store.index(variedEvents(20));
    await store.indexCorrelations([document('0-1', 1)]);
    const counted = await store.search(query('', { limit: 0 }));
    assert.deepEqual(counted, { total: { value: 20, exact: true }, events: [] });
    const documents = await store.correlations({ limit: 0 });
    assert.deepEqual(documents, { total: { value: 1, exact: true }, correlations: [] });
  });

  withStore('a query for nobody ends', async (store) => {
    await store.index(variedEvents(20));
    const gone = new AbortController();
    gone.abort();
    const cancellation = { aborted: true, signal: gone.signal };
    await runCancellable(cancellation, async () => {
      await assert.rejects(store.search(query('')), hasCode('cancelled'));
      await assert.rejects(store.histogram({ filter: filterOf('') }), hasCode('cancelled'));
      await assert.rejects(store.correlations({ limit: 10 }), hasCode('cancelled'));
    });
    assert.equal((await store.search(query(''))).events.length, 20);
  });

  withStore('events that come while pages are read do not move them', async (store) => {
    await store.index(variedEvents(20));
    const first = await store.search(query('', { limit: 10 }));
    await store.index([event(900, 100_000_000)]);
    const second = await store.search(query('', { limit: 10, cursor: first.next }));
    assert.equal(new Set([...first.events, ...second.events].map((e) => e.id)).size, 20);
    assert.equal(second.next, undefined);
  });

  withStore('a range holds its start and not its end', async (store) => {
    await store.index([event(1, 10), event(2, 20), event(3, 30)]);
    const { events } = await store.search(query('', { fromMicros: 10, toMicros: 30, order: 'asc' }));
    assert.deepEqual(
      events.map((e) => e.timestamp),
      [10, 20],
    );
  });

  withStore('a bad cursor is refused', async (store) => {
    for (const cursor of [
      '',
      'x',
      Buffer.from('[1,2]').toString('base64url'),
      Buffer.from('["a",1,1,1]').toString('base64url'),
    ])
      await assert.rejects(store.search(query('', { cursor })), hasCode('bad-cursor'));
  });

  withStore('a histogram counts every event in its interval, by level', async (store) => {
    const events = variedEvents(300);
    await store.index(events);
    const result = await store.histogram({ filter: filterOf('service:shop'), intervalMs: 60_000 });
    const wanted = events.filter((e) => e.service === 'shop');
    assert.equal(
      result.buckets.reduce((sum, bucket) => sum + bucket.count, 0),
      wanted.length,
    );
    for (const { startMicros, count, levels } of result.buckets) {
      const within = wanted.filter(
        (e) => e.timestamp >= startMicros && e.timestamp < startMicros + 60_000_000,
      );
      assert.equal(count, within.length);
      for (const [level, n] of Object.entries(levels))
        assert.equal(n, within.filter((e) => e.level === level).length);
      assert.equal(
        Object.values(levels).reduce((sum, n) => sum + n, 0),
        count,
      );
    }
  });

  withStore('a histogram chooses its interval, and refuses too many buckets', async (store) => {
    const hour = 3_600_000_000;
    await store.index([event(1, 5), event(2, hour - 5), event(3, -5)]);
    const chosen = await store.histogram({ filter: filterOf(''), fromMicros: 0, toMicros: hour });
    assert.equal(chosen.intervalMs, 60_000);
    assert.equal(chosen.buckets.length, 60);
    assert.deepEqual([chosen.buckets[0]!.count, chosen.buckets[59]!.count], [1, 1]);
    const before1970 = await store.histogram({
      filter: filterOf(''),
      fromMicros: -1000,
      toMicros: 1000,
      intervalMs: 1,
    });
    assert.deepEqual(
      before1970.buckets.map((b) => [b.startMicros, b.count]),
      [
        [-1000, 1],
        [0, 1],
      ],
    );
    await assert.rejects(
      store.histogram({ filter: filterOf(''), fromMicros: 0, toMicros: hour, intervalMs: 1000 }),
      hasCode('too-many-buckets'),
    );
  });

  withStore('the range of a histogram is that of its scope alone', async (store) => {
    const minute = 60_000_000;
    await store.index([
      event(1, 0, { service: 'other' }),
      event(2, 5 * minute, { service: 'mine' }),
      event(3, 6 * minute, { service: 'mine', level: 'error' }),
      event(4, 900 * minute, { service: 'other' }),
    ]);
    const scope = filterOf('service:mine');
    for (const filter of ['service:mine', 'service:mine AND level:error', 'service:none']) {
      const { fromMicros, toMicros, buckets, intervalMs } = await store.histogram({
        filter: filterOf(filter),
        scope,
      });
      assert.deepEqual([fromMicros, toMicros, intervalMs], [5 * minute, 6 * minute + 1, 2000], filter);
      assert.equal(buckets.length, 31);
    }
    const open = await store.histogram({ filter: scope, scope, fromMicros: 4 * minute });
    assert.deepEqual([open.fromMicros, open.toMicros], [4 * minute, 6 * minute + 1]);
    const nothing = await store.histogram({ filter: scope, scope: filterOf('service:nobody') });
    assert.deepEqual(nothing.buckets, []);
  });

  withStore('a histogram of an empty store is empty', async (store) => {
    const { buckets } = await store.histogram({ filter: filterOf('') });
    assert.equal(
      buckets.reduce((sum, bucket) => sum + bucket.count, 0),
      0,
    );
  });

  withStore('top values count, and say what is left out', async (store) => {
    await store.index([
      event(1, 1, {
        service: 'a',
        host: 'x',
        level: 'error',
        attributes: '{"k":1,"deep":{"list":["u","v","u"]}}',
      }),
      event(2, 2, { service: 'a', host: null, attributes: '{"k":1}' }),
      event(3, 3, { service: 'b', attributes: '{"k":"two"}' }),
      event(4, 4, { service: 'c', host: 'x' }),
    ]);
    const top = (field: string, limit = 10) => store.topValues({ filter: filterOf(''), field, limit });
    assert.deepEqual(await top('service', 1), { values: [{ value: 'a', count: 2 }], other: 2, missing: 0 });
    assert.deepEqual(await top('host'), { values: [{ value: 'x', count: 2 }], other: 0, missing: 2 });
    assert.deepEqual((await top('level')).values, [
      { value: 'info', count: 3 },
      { value: 'error', count: 1 },
    ]);
    assert.deepEqual(await top('attributes.k'), {
      values: [
        { value: 1, count: 2 },
        { value: 'two', count: 1 },
      ],
      other: 0,
      missing: 1,
    });
    assert.deepEqual((await top('attributes.deep.list')).values, [
      { value: 'u', count: 1 },
      { value: 'v', count: 1 },
    ]);
    assert.deepEqual(
      await store.topValues({ filter: filterOf('service:a'), field: 'host', limit: 5, fromMicros: 2 }),
      { values: [], other: 0, missing: 1 },
    );
    for (const field of ['message', 'constructor', 'x'])
      await assert.rejects(
        store.topValues({ filter: filterOf(''), field, limit: 1 }),
        hasCode('unknown-field'),
      );
    const names = await store.fields();
    for (const field of ['service', 'level', 'host', 'attributes.k', 'attributes.deep.list'])
      assert.ok(names.includes(field), field);
  });

  withStore('a document is found at its highest revision only', async (store) => {
    await store.indexCorrelations([document('0-1', 1), document('0-1', 3, { closeReason: 'max' })]);
    await store.indexCorrelations([
      document('0-1', 2),
      document('0-1', 3),
      document('0-2', 1, { correlationId: 'd' }),
    ]);
    assert.deepEqual(await store.correlation('0-1'), document('0-1', 3, { closeReason: 'max' }));
    assert.equal(await store.correlation('0-9'), undefined);
    assert.deepEqual((await store.counts()).correlations, 2);
    assert.equal((await store.correlations({ limit: 10 })).correlations.length, 2);
    assert.deepEqual(await store.correlationsById('d'), [document('0-2', 1, { correlationId: 'd' })]);
  });

  withStore(
    'requests are grouped by shape or service, with percentiles, errors and the latest',
    async (store) => {
      const ms = (i: number): number => (i < 120 ? 10 : i < 196 ? 100 : 1000);
      const documents = Array.from({ length: 200 }, (_, i) =>
        document(`0-${i}`, 1, {
          firstAt: i * 1_000_000,
          lastAt: i * 1_000_000 + ms(i) * 1000,
          shape: i % 10 === 9 ? '' : i % 10 === 0 ? 'rare' : 'usual',
          services: i % 2 === 0 ? ['shop', 'pay'] : ['shop'],
          levels: i % 4 === 0 ? { info: 1, error: 2 } : { info: 1 },
        }),
      );
      await store.indexCorrelations(documents);
      const all = { requests: 200, errors: 50, p50Ms: 10, p95Ms: 100, p99Ms: 1000 };
      const byService = await store.groupRequests({ by: 'service', limit: 10 });
      assert.deepEqual(byService, {
        all,
        groups: [
          { key: 'shop', ...all, latest: documents[199] },
          { key: 'pay', ...all, requests: 100, latest: documents[198] },
        ],
        otherGroups: 0,
        without: 0,
        firstAt: 0,
        lastAt: 199_000_000,
      });
      const byShape = await store.groupRequests({ by: 'shape', limit: 1 });
      assert.deepEqual(
        [byShape.groups.map(({ key, requests }) => [key, requests]), byShape.otherGroups, byShape.without],
        [[['usual', 160]], 1, 20],
      );
      const filtered = await store.groupRequests({
        filter: filterOf('errorCount:>0'),
        fromMicros: 100_000_000,
        toMicros: 120_000_000,
        by: 'shape',
        limit: 10,
      });
      assert.deepEqual(
        filtered.groups.map(({ key, requests, errors, p99Ms, latest }) => [
          key,
          requests,
          errors,
          p99Ms,
          latest.id,
        ]),
        [
          ['usual', 4, 4, 10, '0-116'],
          ['rare', 1, 1, 10, '0-100'],
        ],
      );
      assert.deepEqual([filtered.firstAt, filtered.lastAt], [100_000_000, 116_000_000]);
      const none = await store.groupRequests({ fromMicros: 900_000_000, by: 'shape', limit: 10 });
      const nothing = { requests: 0, errors: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 };
      assert.deepEqual(none, { all: nothing, groups: [], otherGroups: 0, without: 0 });
      assert.deepEqual((await store.groupRequests({ by: 'shape', limit: 0 })).otherGroups, 2);
      await assert.rejects(
        store.groupRequests({ filter: filterOf('word'), by: 'shape', limit: 1 }),
        hasCode('bad-filter'),
      );
    },
  );

  withStore('the latest durations of a shape, of a range', async (store) => {
    const of = (i: number, shape: string): Correlation =>
      document(`0-${i}`, 1, { firstAt: i * 1_000_000, lastAt: i * 1_000_000 + i * 500, shape });
    await store.indexCorrelations([of(1, 'a'), of(2, 'b'), of(3, 'a'), of(4, 'a'), of(5, 'a'), of(6, '')]);
    const found = await store.shapeDurations({ shape: 'a', fromMicros: 1, toMicros: 5_000_000, limit: 2 });
    assert.deepEqual(found, [
      { firstAt: 4_000_000, durationMs: 2 },
      { firstAt: 3_000_000, durationMs: 1.5 },
    ]);
    assert.deepEqual(await store.shapeDurations({ shape: 'c', limit: 2 }), []);
  });

  withStore(
    'a document whose members were joined into another is removed, and found by its id there',
    async (store) => {
      const joined = document('1-1', 2, { correlationId: 'r', joinedInto: 't' });
      await store.indexCorrelations([document('1-1', 1, { correlationId: 'r' })]);
      await store.indexCorrelations([joined, document('1-9', 1, { correlationId: 'q', joinedInto: 't' })]);
      const whole = document('0-1', 1, {
        correlationId: 't',
        ids: ['r', 'q'],
        memberDeltas: [0, 1],
        forwarded: [{ at: 2, partition: 1, offset: 1 }],
      });
      await store.indexCorrelations([whole]);
      assert.equal(await store.correlation('1-1'), undefined);
      assert.deepEqual(await store.correlationsById('r'), []);
      assert.deepEqual(await store.correlationsByIds(['r'], 10), [whole]);
      assert.deepEqual((await store.counts()).correlations, 1);
      await store.indexCorrelations([document('1-1', 1, { correlationId: 'r' }), joined]);
      assert.equal(await store.correlation('1-1'), undefined);
      assert.deepEqual(await store.missingCorrelations([joined, whole]), []);
      await store.indexCorrelations([document('1-5', 1)]);
      const still = document('1-5', 2, { joinedInto: 't' });
      assert.deepEqual(await store.missingCorrelations([still]), [still]);
    },
  );

  withStore('documents are filtered by what they say about their members', async (store) => {
    await store.indexCorrelations([
      document('0-1', 1, {
        firstAt: 10,
        services: ['pay', 'cart'],
        levels: { info: 2, error: 1 },
        memberDeltas: [0, 1, 1],
        ids: ['trace-1', 'session*'],
        labels: { team: 'shop', 'a.b=c': 'x*y' },
        shape: '0123456789abcdef',
      }),
      document('0-2', 1, {
        firstAt: 20,
        lastAt: 2_000_020,
        services: ['search'],
        severity: 'critical',
        rules: ['slow'],
        ids: ['session-9'],
        labels: { team: 'search' },
      }),
      document('1-0', 2, {
        firstAt: 30,
        correlationId: 'other*id',
        closeReason: 'size',
        services: ['payment'],
      }),
    ]);
    const found = async (text: string): Promise<string[]> =>
      (await store.correlations({ filter: filterOf(text), limit: 10 })).correlations.map((c) => c.id);
    const wanted: Record<string, string[]> = {
      '': ['1-0', '0-2', '0-1'],
      'service:pay': ['0-1'],
      'service:pay*': ['1-0', '0-1'],
      'NOT service:pay*': ['0-2'],
      'level:error': ['0-1'],
      'level:<=info AND eventCount:1': ['1-0', '0-2'],
      'eventCount:>=3': ['0-1'],
      'errorCount:>0': ['0-1'],
      'durationMs:>1000': ['0-2'],
      'closeReason:size': ['1-0'],
      'severity:critical': ['0-2'],
      'NOT severity:critical': ['1-0', '0-1'],
      '_exists_:severity': ['0-2'],
      'rules:slow': ['0-2'],
      'correlationId:other\\*id': ['1-0'],
      'correlationId:other*': ['1-0'],
      'id:0-1 OR kind:sessionId': ['0-1'],
      'partition:1': ['1-0'],
      'ids:trace-1': ['0-1'],
      'ids:c': ['0-2', '0-1'],
      'ids:session*': ['0-2', '0-1'],
      'NOT ids:session*': ['1-0'],
      'traceId:trace-1 OR requestId:session-9': ['0-2', '0-1'],
      'sessionId:"session*"': ['0-1'],
      'labels.team:shop': ['0-1'],
      'labels.team:s*': ['0-2', '0-1'],
      '_exists_:labels.team': ['0-2', '0-1'],
      'NOT labels.team:shop': ['1-0', '0-2'],
      'labels.team:>=search': ['0-2', '0-1'],
      'labels.team:<sf': ['0-2'],
      'labels.a.b=c:"x*y"': ['0-1'],
      'labels.tea:m': [],
      'shape:0123456789abcdef': ['0-1'],
    };
    for (const [text, expected] of Object.entries(wanted))
      assert.deepEqual(await found(text), expected, text);
    for (const text of ['timeout', 'host:a', 'http.status:500', 'eventCount:many'])
      await assert.rejects(found(text), hasCode('bad-filter'), text);
  });

  withStore(
    'documents that share an id are found by any of them, at their newest revision',
    async (store) => {
      await store.indexCorrelations([
        document('0-1', 1, { firstAt: 10, correlationId: 'req-1', ids: ['trace-1'] }),
        document('0-2', 1, { firstAt: 20, correlationId: 'trace-1' }),
        document('0-3', 1, { firstAt: 30, correlationId: 'req-2', ids: ['session-1'] }),
        document('0-4', 1, { firstAt: 40, correlationId: 'req-3', ids: ['trace-1', 'session-1'] }),
      ]);
      await store.indexCorrelations([
        document('0-3', 2, { firstAt: 30, correlationId: 'req-2', ids: ['x'] }),
      ]);
      const found = async (ids: string[], limit = 10): Promise<string[]> =>
        (await store.correlationsByIds(ids, limit)).map((c) => c.id);
      assert.deepEqual(await found(['trace-1']), ['0-4', '0-2', '0-1']);
      assert.deepEqual(await found(['trace-1'], 2), ['0-4', '0-2']);
      assert.deepEqual(await found(['session-1']), ['0-4']);
      assert.deepEqual(await found(['req-2', 'x', 'req-1']), ['0-3', '0-1']);
      assert.deepEqual(await found([]), []);
      assert.deepEqual(await found(['nobody']), []);
      await store.deleteBefore(1_000);
      assert.deepEqual(await found(['trace-1']), []);
    },
  );

  withStore('pages of documents give each once, newest first', async (store) => {
    const documents = Array.from({ length: 25 }, (_, i) =>
      document(`0-${i}`, 1, { firstAt: Math.floor(i / 4) }),
    );
    await store.indexCorrelations(documents);
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.correlations({ fromMicros: 1, toMicros: 6, limit: 3, cursor });
      assert.deepEqual(page.total, { value: 20, exact: true });
      found.push(...page.correlations.map((c) => c.id));
      cursor = page.next;
    } while (cursor !== undefined);
    assert.deepEqual(
      found,
      documents
        .slice(4, 24)
        .map((c) => c.id)
        .toReversed(),
    );
  });

  withStore('it knows how far it was filled, for one epoch, also after a restart', async (store, reopen) => {
    const move = (partition: number, from: number, offset: number) => ({
      topic: 'logs.a',
      partition,
      from,
      offset,
    });
    const offsetsOf = async (of: typeof store, epoch = 'one'): Promise<string[]> =>
      (await of.filled(epoch)).map((m) => `${m.topic}/${m.partition}: ${m.offset}`).sort();
    assert.deepEqual(await store.filled('one'), []);
    assert.equal(await store.markFilled('one', [move(0, 0, 10), move(1, 0, 0)]), true);
    assert.equal(await store.markFilled('one', [move(0, 10, 20), move(1, 1, 5)]), false, 'lower than it was');
    assert.equal(await store.markFilled('one', [move(2, 3, 20)]), false, 'not there');
    assert.equal(await store.markFilled('one', [move(0, 3, 7), move(2, 0, 4)]), true);
    const all = ['logs.a/0: 10', 'logs.a/1: 0', 'logs.a/2: 4'];
    assert.deepEqual(await offsetsOf(store), all);
    assert.equal(await store.removedBefore(), -Infinity);
    await store.deleteBefore(20);
    await store.deleteBefore(10);
    const rebuild = await store.rebuild();
    await rebuild.index([event(1, 30)]);
    await rebuild.seal();
    await rebuild.commit();
    const again = await reopen();
    assert.deepEqual(await offsetsOf(again), all);
    assert.equal(await again.removedBefore(), 20);
    assert.deepEqual(await again.filled('two'), []);
    assert.equal(await again.markFilled('two', [move(0, 0, 1)]), true);
    assert.deepEqual(await offsetsOf(again, 'two'), ['logs.a/0: 1']);
  });

  withStore('it says which events and documents it does not hold', async (store) => {
    await store.index([event(1, 10), event(2, 20)]);
    await store.indexCorrelations([document('0-1', 2), document('0-2', 1)]);
    const events = await store.missingEvents([event(1, 10), event(2, 20), event(3, 30)]);
    assert.deepEqual(
      events.map(({ offset }) => offset),
      [3],
    );
    const wanted = [document('0-1', 1), document('0-1', 3), document('0-2', 1), document('0-3', 1)];
    const documents = await store.missingCorrelations(wanted);
    assert.deepEqual(
      documents.map(({ id, revision }) => `${id}/${revision}`),
      ['0-1/3', '0-3/1'],
    );
  });

  withStore('what is older is deleted from every answer', async (store) => {
    await store.index([event(1, 10, { message: 'old' }), event(2, 20, { message: 'new' })]);
    await store.indexCorrelations([document('0-1', 1, { lastAt: 10 }), document('0-2', 1, { lastAt: 20 })]);
    assert.equal(await store.deleteBefore(20), 1);
    assert.deepEqual(await ids(store, 'old'), []);
    assert.deepEqual(await ids(store, 'new'), ['http-p-0-2']);
    assert.deepEqual(await store.counts(), { events: 1, correlations: 1 });
    await store.index([event(3, 30, { message: 'old' })]);
    assert.deepEqual(await ids(store, 'old'), ['http-p-0-3']);
  });

  withStore(
    'a rebuilt store takes the place of the old one, and takes writes as that did',
    async (store, reopen) => {
      await store.index([event(1, 10), event(2, 20, { message: 'not in the log' })]);
      await store.indexCorrelations([document('0-1', 1), document('0-2', 1)]);
      const rebuild = await store.rebuild();
      await rebuild.index([event(1, 10, { message: 'rebuilt' }), event(1, 10, { message: 'a duplicate' })]);
      await rebuild.index([event(3, 86_400_000_000), event(1, 10, { message: 'another duplicate' })]);
      await rebuild.indexCorrelations([document('0-1', 2)]);
      await rebuild.indexCorrelations([document('0-1', 1)]);
      await store.index([event(4, 40, { message: 'written meanwhile' })]);
      assert.equal((await store.search(query(''))).events.length, 3);
      await rebuild.seal();
      await rebuild.index([event(4, 40, { message: 'written meanwhile' })]);
      assert.deepEqual(await ids(store, 'rebuilt'), []);
      await rebuild.commit();
      await rebuild.discard();
      const check = async (answering: SearchStore): Promise<void> => {
        const found = (await answering.search(query('', { order: 'asc' }))).events;
        assert.deepEqual(
          found.map(({ id, message }) => [id, message]),
          [
            ['http-p-0-1', 'rebuilt'],
            ['http-p-0-4', 'written meanwhile'],
            ['http-p-0-3', 'message 3'],
          ],
        );
        assert.deepEqual(await answering.counts(), { events: 3, correlations: 1 });
        assert.equal((await answering.correlation('0-1'))?.revision, 2);
      };
      await check(store);
      const again = await reopen();
      await check(again);
      await again.index([
        event(1, 10, { message: 'still a duplicate' }),
        event(5, 50),
        event(6, 6 * 86_400_000_000),
      ]);
      await again.indexCorrelations([document('0-1', 1), document('0-3', 1)]);
      assert.deepEqual(await ids(again, 'duplicate'), []);
      assert.deepEqual(await again.counts(), { events: 5, correlations: 2 });
      assert.equal(await again.deleteBefore(1_000_000), 3);
      assert.deepEqual(await again.counts(), { events: 2, correlations: 0 });
    },
  );

  withStore(
    'a rebuild that is given up changes nothing, and neither does one that another took over',
    async (store) => {
      await store.index([event(1, 10)]);
      const first = await store.rebuild();
      await first.index([event(2, 20)]);
      await first.seal();
      await first.discard();
      await store.index([event(3, 30)]);
      assert.deepEqual(await ids(store, ''), ['http-p-0-3', 'http-p-0-1']);
      const forgotten = await store.rebuild();
      await forgotten.index([event(4, 40)]);
      const second = await store.rebuild();
      await second.index([event(5, 50)]);
      await assert.rejects(forgotten.commit());
      await second.seal();
      await second.commit();
      await forgotten.discard();
      assert.deepEqual(await ids(store, ''), ['http-p-0-5']);
    },
  );
}

const filters = [
  '',
  'level:error',
  'level:>=warn',
  'service:shop AND level:error',
  'service:s*',
  'NOT service:shop',
  'timeout',
  'message:"connection timeout"',
  'time*',
  'message:straße OR message:snake_case',
  'attributes.status:>=500',
  'attributes.status:[400 TO 499] AND NOT level:info',
  'correlationId:c-3',
  '_exists_:correlationId',
  'offset:[10 TO 20]',
  '(level:warn OR level:fatal) AND (timeout OR service:pay)',
];

const texts = [
  'connection timeout after 30 ms',
  'timeout, connection lost',
  'Straße GEFUNDEN',
  'snake_case is one word',
  '',
  'İstanbul ΣΊΣΥΦΟΣ',
  'a\u0000b',
];
const levels: Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** Events over ten minutes that differ in what filters ask. */
function variedEvents(count: number): PlacedEvent[] {
  return Array.from({ length: count }, (_, i) =>
    event(i, i * 2_000_000, {
      level: levels[(i * 7) % 6]!,
      service: ['shop', 'pay', 'search'][i % 3]!,
      message: texts[(i * 5) % texts.length]!,
      correlationId: i % 4 === 0 ? null : `c-${i % 9}`,
      attributes:
        i % 5 === 0 ? '{}' : JSON.stringify({ status: 200 + ((i * 13) % 350), path: `/a/${i % 7}` }),
    }),
  );
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

function query(text: string, rest: Partial<SearchQuery> = {}): SearchQuery {
  return { filter: filterOf(text), limit: 50, order: 'desc', ...rest };
}

async function ids(store: SearchStore, text: string): Promise<string[]> {
  return (await store.search(query(text))).events.map((e) => e.id);
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SearchStoreError && error.code === code;
}

function event(offset: number, timestamp: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  return placedEvent(offset, { id: `http-p-0-${offset}`, timestamp, ...rest });
}

function document(id: string, revision: number, rest: Partial<Correlation> = {}): Correlation {
  const [partition, firstOffset] = id.split('-').map(Number) as [number, number];
  const lastAt = (rest.firstAt ?? 1) + 5;
  return correlationDocument(id, { revision, lastAt, partition, firstOffset, ...rest });
}

import {
  correlationDefaults,
  memberDeltas,
  parseMicros,
  topics,
  type Correlation,
  type PlacedEvent,
} from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiRig } from '../testing/api-rig.ts';
import { nezhaEvent, nezhaLines, type NezhaLine } from '../testing/nezha-events.ts';

const nowMs = Date.parse('2024-05-01T12:00:00Z');

/** The API over real embedded stores in a folder of its own. */
async function openApi() {
  const rig = await openApiRig({ nowMs: () => nowMs });
  return {
    ...rig,
    get: async (path: string, parameters: Record<string, string | number> = {}) => {
      const { status, text } = await rig.get(path, parameters as Record<string, string>);
      return { status, body: JSON.parse(text) as Answer };
    },
  };
}

test('a search shows on demand why each event was found, and is the same without', async () => {
  await using api = await openApi();
  await api.search.index([
    { ...plainEvent(1), message: 'Card refused by <bank>', attributes: '{"http":{"status":502}}' },
    { ...plainEvent(2), message: 'Card taken', attributes: '{}' },
  ]);
  const parameters = { q: 'refused OR http.status:>=500 OR partition:0', order: 'asc' };
  const plain = await api.get('search', parameters);
  assert.deepEqual(Object.keys(plain.body), ['total', 'events']);
  const { body } = await api.get('search', { ...parameters, highlight: 'true' });
  const { highlights, ...rest } = body;
  assert.deepEqual(rest, plain.body);
  const id = plain.body.events[0]!.id;
  assert.deepEqual(highlights, {
    [id]: {
      message: [{ at: 0, fragment: 'Card refused by <bank>', ranges: [[5, 12]] }],
      'attributes.http.status': [{ at: 0, fragment: '502', ranges: [[0, 3]] }],
    },
  });
  const bad = await api.get('search', { highlight: 'yes' });
  assert.deepEqual([bad.status, bad.body.error.parameter], [400, 'highlight']);
});

test('where logs.events was recreated, a document has the members of its own log', async () => {
  await using api = await openApi();
  const at = (epoch: string, offset: number, message: string): PlacedEvent => ({
    ...plainEvent(offset),
    id: `${epoch}-0-${offset}`,
    partition: 0,
    message,
    correlationId: 'made-anew',
  });
  await api.archive.put([1, 2, 3].map((offset) => at('0ldEpoch', offset, 'old')));
  await api.archive.put([1, 2].map((offset) => at('newEpoch', offset, 'new')));
  const [first] = await api.archive.range('newEpoch', 0, 1, 2, 1);
  const document = (epoch: string): Correlation => ({
    ...correlationDefaults,
    id: `${epoch}-0-1`,
    correlationId: 'made-anew',
    kind: 'traceId',
    revision: 1,
    closeReason: 'idle',
    firstAt: first!.timestamp,
    lastAt: first!.timestamp,
    services: ['s'],
    levels: { info: 3 },
    partition: 0,
    firstOffset: 1,
    closeOffset: 9,
    closeSequence: 0,
    firstClosedAt: 0,
    rules: [],
    severity: null,
    memberDeltas: memberDeltas([1, 2, 3]),
  });
  await api.search.indexCorrelations(['0ldEpoch', 'newEpoch'].map(document));
  const members = async (epoch: string): Promise<string[]> =>
    (await api.get(`correlations/${epoch}-0-1`)).body.events.map(({ id }) => id);
  assert.deepEqual(await members('newEpoch'), ['newEpoch-0-1', 'newEpoch-0-2'], 'the third is nowhere');
  assert.deepEqual(await members('0ldEpoch'), ['0ldEpoch-0-1', '0ldEpoch-0-2', '0ldEpoch-0-3']);
});

function plainEvent(offset: number): PlacedEvent {
  return nezhaEvent(
    {
      timestamp: '2024-05-01T11:00:00Z',
      service: 's',
      host: 'h',
      level: 'info',
      message: '',
      traceId: 't',
      spanId: 's',
    },
    offset,
    parseMicros('2024-05-01T11:00:00Z'),
  );
}

/** As much of any answer as the tests look at. */
interface Answer {
  total: { value: number; exact: boolean };
  events: { id: string; timestamp: string; offset: number; attributes: unknown }[];
  correlations: {
    id: string;
    revision: number;
    eventCount: number;
    comparison?: { requests: number; p50Ms?: number; slowerThan?: number; slow: boolean };
  }[];
  next?: string;
  error: { code: string; message: string; parameter?: string; position?: number };
  [key: string]: unknown;
}

function event(offset: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  const line: NezhaLine = {
    timestamp: '',
    service: 'shop',
    host: 'h',
    level: 'info',
    message: `message ${offset}`,
  };
  return { ...nezhaEvent(line, offset, (nowMs - 3_600_000 + offset * 1000) * 1000), ...rest };
}

function document(members: number[], rest: Partial<Correlation> = {}): Correlation {
  const [firstOffset] = members as [number];
  return {
    id: `0-${firstOffset}`,
    correlationId: 'c',
    kind: 'traceId',
    revision: 1,
    closeReason: 'idle',
    firstAt: event(firstOffset).timestamp,
    lastAt: event(members.at(-1)!).timestamp,
    services: ['shop'],
    levels: { info: members.length },
    rules: [],
    severity: null,
    partition: 0,
    firstOffset,
    closeOffset: members.at(-1)!,
    closeSequence: 0,
    firstClosedAt: 0,
    memberDeltas: memberDeltas(members),
    ...correlationDefaults,
    ...rest,
  };
}

test('a found event is the event, its attributes as they were written', async () => {
  await using api = await openApi();
  await api.search.index([event(1, { id: 'http-a.b c-0-1', attributes: '{"http":{"status":500}}' })]);
  const { body } = await api.get('search', { q: 'attributes.http.status:>=500' });
  assert.deepEqual(body.events, [
    {
      id: 'http-a.b c-0-1',
      timestamp: '2024-05-01T11:00:01.000000Z',
      level: 'info',
      service: 'shop',
      host: 'h',
      message: 'message 1',
      attributes: { http: { status: 500 } },
      partition: 0,
      offset: 1,
    },
  ]);
  assert.deepEqual((await api.get(`events/${encodeURIComponent('http-a.b c-0-1')}`)).body, body.events[0]);
});

test('times are RFC 3339, epoch milliseconds or relative; the start is in, the end is not', async () => {
  await using api = await openApi();
  await api.search.index([event(0), event(60), event(120)]);
  const found = async (from: string, to: string) =>
    (await api.get('search', { from, to, order: 'asc' })).body.events.map((e) => e.offset);
  assert.deepEqual(await found('2024-05-01T11:00:00Z', '2024-05-01T13:02:00+02:00'), [0, 60]);
  assert.deepEqual(await found(String(nowMs - 3_540_000), 'now'), [60, 120]);
  assert.deepEqual(await found('now-59m', 'now-58m'), [60]);
  assert.deepEqual(await found('now-1d', ''), [0, 60, 120]);
});

test('a bad parameter is refused, with its name', async () => {
  await using api = await openApi();
  const refused: [path: string, parameters: Record<string, string>, code: string, parameter: string][] = [
    ['search', { limit: '-1' }, 'bad-parameter', 'limit'],
    ['search', { lmit: '10' }, 'bad-parameter', 'lmit'],
    ['search', { interval: '5s' }, 'bad-parameter', 'interval'],
    ['status', { q: 'a' }, 'bad-parameter', 'q'],
    ['search', { limit: '1001' }, 'bad-parameter', 'limit'],
    ['search', { limit: '1e2' }, 'bad-parameter', 'limit'],
    ['search', { order: 'up' }, 'bad-parameter', 'order'],
    ['search', { from: 'yesterday' }, 'bad-parameter', 'from'],
    ['search', { to: '2024-13-01' }, 'bad-parameter', 'to'],
    ['search', { to: 'now-5x' }, 'bad-parameter', 'to'],
    ['search', { from: 'now', to: 'now-1h' }, 'bad-parameter', 'from'],
    ['search', { cursor: 'x' }, 'bad-cursor', 'cursor'],
    ['correlations', { cursor: 'x' }, 'bad-cursor', 'cursor'],
    ['histogram', { interval: '0' }, 'bad-parameter', 'interval'],
    ['histogram', { interval: '5 parsecs' }, 'bad-parameter', 'interval'],
    ['histogram', { interval: '1s', from: 'now-1d', to: 'now' }, 'too-many-buckets', 'interval'],
    ['histogram', { by: 'service' }, 'bad-parameter', 'by'],
    ['fields', { field: 'message' }, 'unknown-field', 'field'],
  ];
  for (const [path, parameters, code, parameter] of refused) {
    const { status, body } = await api.get(path, parameters);
    assert.deepEqual(
      [status, body.error?.code, body.error?.parameter],
      [400, code, parameter],
      JSON.stringify(parameters),
    );
    assert.notEqual(body.error.message, '');
  }
});

test('a limit of 0 counts, and an unknown parameter is refused with those that there are', async () => {
  await using api = await openApi();
  await api.search.index([event(0), event(60)]);
  const counted = await api.get('search', { limit: 0 });
  assert.deepEqual(counted.body, { total: { value: 2, exact: true }, events: [] });
  const documents = await api.get('correlations', { limit: 0 });
  assert.deepEqual([documents.status, documents.body['correlations']], [200, []]);
  assert.deepEqual((await api.get('fields', { field: 'service', limit: 0 })).body['values'], []);
  assert.deepEqual((await api.get('alerts', { limit: 0 })).body['alerts'], []);
  const { body } = await api.get('correlations/c', { q: 'a' });
  assert.deepEqual((body.error as unknown as { known: string[] }).known, ['limit', 'cursor', 'access_token']);
});

test('a bad filter is refused, with its place', async () => {
  await using api = await openApi();
  for (const path of ['search', 'histogram', 'fields', 'correlations']) {
    const { status, body } = await api.get(path, {
      q: 'service:a AND (',
      ...(path === 'fields' ? { field: 'service' } : {}),
    });
    assert.deepEqual(
      [status, body.error.code, typeof body.error.position],
      [400, 'bad-filter', 'number'],
      path,
    );
  }
  const { body } = await api.get('correlations', { q: 'service:a AND host:b' });
  assert.deepEqual([body.error.code, body.error.position], ['bad-filter', 14]);
});

test('a field, value or id may have the name of something that every JavaScript object has', async () => {
  await using api = await openApi();
  const attributes = '{"constructor":"a","toString":1,"__proto__":"b"}';
  await api.search.index([event(1, { service: 'valueOf', attributes })]);
  await api.search.indexCorrelations([
    document([0], { labels: JSON.parse('{"__proto__":"c"}') as Record<string, string> }),
  ]);
  for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']) {
    for (const [path, parameters, wanted] of [
      ['search', { q: `${name}:x` }, 200],
      ['search', { q: `level:${name}` }, 400],
      ['histogram', { q: `${name}:*` }, 200],
      ['histogram', { by: name }, 400],
      ['search', { order: name }, 400],
      ['fields', { field: name }, 400],
      ['fields', { field: `attributes.${name}` }, 200],
      ['correlations', { q: `${name}:x` }, 400],
      ['correlations', { q: `kind:${name} AND labels.${name}:*` }, 200],
      [`correlations/${name}`, {}, 404],
      [`events/${name}`, {}, 404],
    ] as const) {
      const { status } = await api.get(path, parameters);
      assert.equal(status, wanted, `${path} ${JSON.stringify(parameters)}`);
    }
  }
  const { body } = await api.get('search', { q: 'constructor:a AND toString:1 AND __proto__:b' });
  assert.equal(body.events.length, 1);
  const { body: labelled } = await api.get('correlations', { q: 'labels.__proto__:c' });
  assert.equal(labelled.correlations.length, 1);
});

test('an unknown id is not found', async () => {
  await using api = await openApi();
  for (const path of ['events/x', 'correlations/x']) {
    const { status, body } = await api.get(path);
    assert.deepEqual([status, body.error.code], [404, 'not-found']);
  }
});

test('a correlation has exactly its members, also those that only the log has yet', async () => {
  await using api = await openApi();
  const written = [0, 1, 2, 3, 4].map((offset) => event(offset, { correlationId: 'c' }));
  await api.log.append(
    topics.events,
    written.map(({ id: _id, partition, offset: _offset, ...e }) => ({
      partition,
      key: e.correlationId,
      value: api.serde.encode('LogEvent', e),
    })),
  );
  await api.archive.put([...written.slice(0, 4), event(9, { correlationId: 'c', partition: 1 })]);
  await api.search.indexCorrelations([document([0, 1]), document([2, 4], { revision: 2 })]);
  for (const [id, asked] of [
    ['0-0', '0-0'],
    ['0-2', '0-2'],
    ['c', '0-0'],
  ] as const) {
    const { body } = await api.get(`correlations/${id}`);
    assert.deepEqual(
      body.events.map((e) => e.offset),
      [0, 1, 2, 4],
    );
    assert.deepEqual([body['id'], body['revision'], body['members']], [asked, 3, [0, 1, 2, 4]]);
    const parts = body['parts'] as { part: number; id: string; previous?: string; eventCount: number }[];
    assert.deepEqual(
      parts.map(({ part, id: of, previous, eventCount }) => [part, of, previous, eventCount]),
      [
        [1, '0-0', undefined, 2],
        [2, '0-2', '0-0', 2],
      ],
    );
    assert.deepEqual(body['related'], []);
  }
  const pages: number[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await api.get('correlations/c', {
      limit: 3,
      ...(cursor === undefined ? {} : { cursor }),
    });
    pages.push(...body.events.map((e) => e.offset));
    cursor = body.next;
  } while (cursor !== undefined && pages.length < 10);
  assert.deepEqual(pages, [0, 1, 2, 4]);
  const listed = await api.get('correlations', { q: 'service:shop AND eventCount:>=2', limit: 1 });
  assert.deepEqual(
    listed.body.correlations.map((c) => [c.id, c.eventCount]),
    [['0-2', 2]],
  );
  const query = { q: 'service:shop AND eventCount:>=2', limit: 1, cursor: listed.body.next! };
  const second = await api.get('correlations', query);
  assert.deepEqual(
    second.body.correlations.map((c) => c.id),
    ['0-0'],
  );
  for (const [path, other] of [
    ['correlations', { ...query, q: 'service:shop' }],
    ['correlations', { ...query, from: '0' }],
    ['search', query],
  ] as const) {
    const { status, body: refused } = await api.get(path, other);
    assert.deepEqual([status, refused.error.code], [400, 'bad-cursor'], 'a cursor of another query');
  }
});

test('a request with large members comes in pages that end in bytes, each member once', async () => {
  await using api = await openApi();
  const message = 'x'.repeat(900_000);
  const written = Array.from({ length: 30 }, (_, offset) => event(offset, { correlationId: 'c', message }));
  await api.log.append(
    topics.events,
    written.map(({ id: _id, partition, offset: _offset, ...e }) => ({
      partition,
      key: e.correlationId,
      value: api.serde.encode('LogEvent', e),
    })),
  );
  // The archive has not got to the last ones yet.
  await api.archive.put(written.slice(0, 19));
  await api.search.indexCorrelations([document(written.map(({ offset }) => offset))]);
  const found: number[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const { body } = await api.get('correlations/0-0', cursor === undefined ? {} : { cursor });
    assert.ok(body.events.length <= 10, '8 MiB and one event');
    assert.equal('summary' in body, cursor === undefined);
    found.push(...body.events.map(({ offset }) => offset));
    cursor = body.next;
  } while (cursor !== undefined && ++pages < 30);
  assert.deepEqual(
    found,
    written.map(({ offset }) => offset),
  );
  const short = await api.get('correlations/0-0', { limit: 7 });
  assert.equal(short.body.events.length, 7);
  assert.ok((short.body['summary'] as { events: number }).events > 7, 'a summary is of more than the page');
  const none = await api.get('correlations/0-0', { limit: 0 });
  assert.deepEqual(none.body.events, []);
  assert.ok((none.body['summary'] as { events: number }).events > 7);
});

test('a list compares each duration on demand, as the request itself does', async () => {
  await using api = await openApi();
  const common = Array.from({ length: 300 }, (_, n) =>
    document([2 * n], { firstAt: n, lastAt: n + 1000, correlationId: `c${n}`, shape: 'a'.repeat(16) }),
  );
  await api.search.indexCorrelations([
    ...common,
    document([601], { firstAt: 400, shape: 'b'.repeat(16) }),
    document([603], { firstAt: 401, lastAt: 9401, correlationId: 'slow', shape: 'a'.repeat(16) }),
  ]);
  const listed = await api.get('correlations', { limit: 3, comparison: 'true' });
  assert.deepEqual(
    listed.body.correlations.map(({ comparison: c }) => [c?.requests, c?.p50Ms, c?.slowerThan, c?.slow]),
    [
      [300, 1, 300, true],
      [0, undefined, undefined, false],
      [299, 1, 0, false],
    ],
  );
  const { body } = await api.get(`correlations/${listed.body.correlations[0]!.id}`);
  assert.deepEqual(body['comparison'], listed.body.correlations[0]!.comparison);
  const plain = await api.get('correlations', { limit: 1 });
  assert.ok(!('comparison' in plain.body.correlations[0]!));
});

test('a summary of requests names each group by its latest request, over the range of the requests or the given one', async () => {
  await using api = await openApi();
  const at = (n: number): number => (nowMs - 60_000 + n * 1000) * 1000;
  await api.search.indexCorrelations(
    [0, 1, 2, 3].map((n) =>
      document([n], {
        correlationId: `c${n}`,
        firstAt: at(n),
        lastAt: at(n) + (n + 1) * 1000,
        shape: n === 0 ? '' : 'a'.repeat(16),
        services: n === 3 ? ['shop', 'pay'] : ['shop'],
        levels: n === 2 ? { error: 1 } : { info: 1 },
      }),
    ),
  );
  await api.search.index([event(3, { id: '0-3', message: 'GET /cart\nmore' })]);
  const { body } = await api.get('requests/summary');
  assert.deepEqual(body, {
    from: '2024-05-01T11:59:00.000000Z',
    to: '2024-05-01T11:59:03.000001Z',
    complete: true,
    all: { requests: 4, errors: 1, rate: 4 / 3.000001, p50: 2, p95: 4, p99: 4 },
    groups: [
      {
        key: { shape: 'a'.repeat(16) },
        ...{ requests: 3, errors: 1, rate: 3 / 3.000001, p50: 3, p95: 4, p99: 4 },
        latest: {
          id: '0-3',
          correlationId: 'c3',
          firstAt: '2024-05-01T11:59:03.000000Z',
          services: ['shop', 'pay'],
          name: 'GET /cart',
        },
      },
    ],
    otherGroups: 0,
    without: 1,
  });
  const minute = await api.get('requests/summary', { by: 'service', from: 'now-1m', to: 'now', limit: 1 });
  const { groups, otherGroups, all } = minute.body as unknown as {
    groups: { key: object; requests: number }[];
    otherGroups: number;
    all: { rate: number };
  };
  assert.deepEqual(
    [groups.map(({ key, requests }) => [key, requests]), otherGroups, all.rate],
    [[[{ service: 'shop' }, 4]], 1, 4 / 60],
  );
  const none = await api.get('requests/summary', { q: 'service:nobody' });
  assert.deepEqual([none.body['groups'], none.body['from']], [[], '2024-05-01T12:00:00.000000Z']);
  const bad = await api.get('requests/summary', { q: 'service:shop AND word' });
  assert.deepEqual([bad.status, bad.body.error.code, bad.body.error.position], [400, 'bad-filter', 17]);
});

test('the status tells ends, lags and counts', async () => {
  await using api = await openApi();
  await api.search.index([event(1)]);
  await api.search.indexCorrelations([document([0]), document([1], { closeReason: 'evicted' })]);
  await api.log.append(topics.events, [
    { partition: 1, key: null, value: api.serde.encode('Tick', { dueAt: 1 }) },
  ]);
  const { body } = await api.get('status');
  assert.equal(body['version'], '1.2.3');
  assert.equal(body['epoch'], api.log.epoch);
  assert.deepEqual((body['topics'] as Record<string, unknown>)['logs.events'], [
    { partition: 0, start: 0, end: 0 },
    { partition: 1, start: 0, end: 1 },
  ]);
  const consumers = body['consumers'] as Record<string, unknown>[];
  assert.deepEqual(
    consumers.find((c) => c['group'] === 'indexer' && c['topic'] === 'logs.events' && c['partition'] === 1),
    { group: 'indexer', topic: 'logs.events', partition: 1, committed: null, end: 1, lag: 1, lost: 0 },
  );
  assert.deepEqual(body['counts'], {
    events: 1,
    correlations: 2,
    archived: 1,
    archivedCorrelations: 2,
    evictedCorrelations: 1,
  });
  // The test's clock is behind the one that the log appends by.
  const [record] = await api.log.read(topics.events, 1, 0, 1);
  assert.deepEqual(body['clock'], { aheadMs: record!.timestampMs - nowMs, setBackMs: 0 });
  const stop = new AbortController();
  await api.log.consume(
    {
      group: 'correlator',
      topics: [topics.events],
      open: async ({ partition, commit }) => {
        if (partition === 1)
          await commit(1, JSON.stringify({ output: 0, position: 1, clock: { now: 90_000, mark: 30_000 } }));
        return { process: async () => {}, idle: async () => stop.abort() };
      },
    },
    stop.signal,
  );
  assert.equal((((await api.get('status')).body['clock'] ?? {}) as { setBackMs?: number }).setBackMs, 60_000);
});

test('on a real log, filters count what the lines hold, and pages hold each event once', async () => {
  await using api = await openApi();
  const lines = nezhaLines(5000);
  await api.search.index(lines.map((line, offset) => nezhaEvent(line, offset, parseMicros(line.timestamp))));
  const words = (line: NezhaLine): string[] => line.message.toLowerCase().split(/[^\p{L}\p{N}_]+/u);
  const direct: Record<string, (line: NezhaLine) => boolean> = {
    '*': () => true,
    'level:error': (l) => l.level === 'error',
    'NOT level:info': (l) => l.level !== 'info',
    'level:>=warn OR service:ts-food-service': (l) =>
      ['warn', 'error', 'fatal'].includes(l.level) || l.service === 'ts-food-service',
    'service:ts-food-service': (l) => l.service === 'ts-food-service',
    'service:ts-*-plan-service': (l) => /^ts-.*-plan-service$/s.test(l.service),
    'service:ts-food-service AND level:info': (l) => l.service === 'ts-food-service' && l.level === 'info',
    'train AND NOT food': (l) => words(l).includes('train') && !words(l).includes('food'),
    'message:"get train food"': (l) => ` ${words(l).join(' ')} `.includes(' get train food '),
    'sta*': (l) => words(l).some((word) => word.startsWith('sta')),
    'traceId:741fa7ccaec683f1f39e3ec79670a26c': (l) => l.traceId === '741fa7ccaec683f1f39e3ec79670a26c',
    'NOT _exists_:correlationId': (l) => l.traceId === undefined,
    '(shanghai OR beijing) AND level:info': (l) =>
      ['shanghai', 'beijing'].some((word) => words(l).includes(word)) && l.level === 'info',
  };
  for (const [q, matches] of Object.entries(direct)) {
    const wanted = lines.filter(matches).length;
    const { body } = await api.get('search', { q, limit: 1 });
    assert.deepEqual(body.total, { value: wanted, exact: true }, q);
    const histogram = (await api.get('histogram', { q })).body['buckets'] as { count: number }[];
    assert.equal(
      histogram.reduce((sum, bucket) => sum + bucket.count, 0),
      wanted,
      q,
    );
  }
  const [asc, desc] = [await pages('asc', 700), await pages('desc', 999)];
  assert.equal(new Set(asc.map((e) => e.id)).size, lines.length);
  assert.equal(asc.length, lines.length);
  assert.ok(asc.every((e, i) => i === 0 || asc[i - 1]!.timestamp <= e.timestamp));
  assert.deepEqual(
    desc.map((e) => e.id),
    asc.map((e) => e.id).toReversed(),
  );

  async function pages(order: string, limit: number) {
    const found: Answer['events'] = [];
    let cursor = '';
    do {
      const { body } = await api.get('search', { order, limit, cursor });
      found.push(...body.events);
      cursor = body.next ?? '';
    } while (cursor !== '');
    return found;
  }
});

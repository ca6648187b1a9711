import { openEmbeddedArchive } from '@logloom/archive';
import { TestIssuer } from '@logloom/auth/test-issuer';
import { SqliteEventLog } from '@logloom/event-log';
import { openJobQueue, openJobRecords } from '@logloom/job-queue';
import '@logloom/runtime/testing/hold-contract';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import {
  correlationDefaults,
  memberDeltas,
  senderHeaders,
  topics,
  type Correlation,
  type PlacedEvent,
} from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { createTelemetry, SecurityLog, type Telemetry } from '@logloom/telemetry';
import { temporaryFolder } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nezhaEvent } from '../testing/nezha-events.ts';
import type { RequestsSummary } from '../requests/requests-summary.ts';
import { registerApi } from './api.ts';

const folder = temporaryFolder('access').path;
const search = openEmbeddedSearchStore(folder);
const archive = openEmbeddedArchive(folder);
const log = new SqliteEventLog(join(folder, 'log'));
const jobsStore = { folder: join(folder, 'jobs') };
const queue = await openJobQueue(jobsStore);
const records = await openJobRecords(jobsStore);
const issuer = await TestIssuer.create('key');
const app = fastify();
const { registry } = createTelemetry('indexer', 'silent');
/** What the security log tells. */
const account: Record<string, unknown>[] = [];
const startMicros = Date.parse('2024-05-01T11:00:00Z') * 1000;

interface Answer {
  total: { value: number; exact: boolean };
  events: { id: string; service: string }[];
  correlations: { id: string }[];
  fields: string[];
  values: { value: string; count: number }[];
  missing: number;
  buckets: { count: number; levels: Record<string, number> }[];
  next?: string;
  error: { code: string; message: string };
  id: string;
  [field: string]: unknown;
}

function event(offset: number, service: string, correlationId: string, attributes = '{}'): PlacedEvent {
  const line = { timestamp: '', service, host: 'h', level: 'info' as const, message: `message ${offset}` };
  const made = nezhaEvent(line, offset, startMicros + offset * 1_000_000);
  return { ...made, correlationId, correlationKind: 'traceId', attributes };
}

function documentOf(members: PlacedEvent[]): Correlation {
  const [first] = members as [PlacedEvent];
  return {
    ...correlationDefaults,
    id: `0-${first.offset}`,
    correlationId: first.correlationId!,
    kind: 'traceId',
    revision: 1,
    closeReason: 'idle',
    firstAt: first.timestamp,
    lastAt: members.at(-1)!.timestamp,
    services: [...new Set(members.map(({ service }) => service))],
    levels: { info: members.length },
    rules: [],
    severity: null,
    partition: first.partition,
    firstOffset: first.offset,
    closeOffset: members.at(-1)!.offset,
    closeSequence: 0,
    firstClosedAt: 0,
    memberDeltas: memberDeltas(members.map(({ offset }) => offset)),
  };
}

// Requests of one tenant, of the other, and one that both had a part in.
const requests = Array.from({ length: 12 }, (_, r) => {
  const services = [
    ['mine', 'mine'],
    ['other', 'other'],
    ['mine', 'other'],
  ][r % 3]!;
  return services.map((service, i) =>
    event(r * 2 + i, service, `request-${r}`, JSON.stringify({ tenant: service, [`${service}Only`]: 1 })),
  );
});
const isMine = ({ service }: PlacedEvent) => service === 'mine';

async function get(path: string, claims: Record<string, unknown>, method: 'GET' | 'POST' = 'GET') {
  const headers = { authorization: `Bearer ${await issuer.sign(claims)}` };
  const response = await app.inject({ method, url: `/api/${path}`, headers });
  return { status: response.statusCode, body: response.json<Answer>() };
}

before(async () => {
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions: 2 })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const authenticate = await issuer.authenticate(folder);
  const filterLimits = { terms: 8, depth: 4, wildcards: 2 };
  const jobs = { queue, records };
  const keep = (fields: object): void => void account.push(fields as Record<string, unknown>);
  const logger = { info: keep, warn: keep } as unknown as Telemetry['logger'];
  const security = new SecurityLog({ logger, registry });
  const deps = { search, archive, log, serde, version: '1', jobs, authenticate, filterLimits, security };
  registerApi(app, { ...deps, auditReads: true });
  await search.index(requests.flat());
  await archive.put(requests.flat());
  await search.indexCorrelations(requests.map(documentOf));
});

after(async () => {
  await app.close();
  await Promise.all([search.close(), archive.close(), log.close(), queue.close(), records.close()]);
  rmSync(folder, { recursive: true });
});

const service = { logloom_filter: 'service:mine' };
const attribute = { logloom_filter: 'attributes.tenant:mine' };
const paths = ['search', 'histogram', 'fields', 'correlations', 'correlations/0-0', 'events/a', 'status'];

test('nothing is answered without a token', async () => {
  for (const path of paths) {
    const response = await app.inject(`/api/${path}`);
    assert.equal(response.statusCode, 401, path);
    assert.equal(response.headers['www-authenticate'], 'Bearer');
    assert.equal(response.json<Answer>().error.code, 'unauthorized');
  }
  const token = await issuer.sign();
  assert.equal((await app.inject(`/api/search?access_token=${token}`)).statusCode, 200);
});

for (const claims of [service, attribute]) {
  test(`${claims.logloom_filter}: events, whatever the query`, async () => {
    for (const q of [
      '',
      '*',
      'service:other',
      '* OR service:other',
      'NOT service:mine',
      'service:mine) OR (*',
    ]) {
      const { status, body } = await get(`search?limit=5&q=${encodeURIComponent(q)}`, claims);
      if (status === 400) continue;
      assert.ok(
        body.events.every((found) => found.service === 'mine'),
        q,
      );
      assert.ok(body.total.value <= 12, q);
      if (body.next === undefined) continue;
      const next = await get(`search?limit=500&q=${encodeURIComponent(q)}&cursor=${body.next}`, claims);
      assert.ok(
        next.body.events.every((found) => found.service === 'mine'),
        q,
      );
    }
    // A cursor that somebody else was given.
    const { body: all } = await get('search?limit=5', {});
    const { status, body: rest } = await get(`search?limit=500&cursor=${all.next}`, claims);
    assert.deepEqual([status, rest.error.code], [400, 'bad-cursor']);

    const { body: histogram } = await get('histogram?q=*%20OR%20service:other', claims);
    assert.equal(
      histogram.buckets.reduce((sum, { count }) => sum + count, 0),
      12,
    );
    for (const { service, id } of requests.flat())
      assert.equal(
        (await get(`events/${encodeURIComponent(id)}`, claims)).status,
        service === 'mine' ? 200 : 404,
      );
  });

  test(`${claims.logloom_filter}: fields and their values`, async () => {
    const { body: names } = await get('fields', claims);
    assert.ok(names.fields.includes('service') && names.fields.includes('attributes.mineOnly'));
    assert.ok(!names.fields.includes('attributes.otherOnly'));
    const { body } = await get('fields?field=service&q=*%20OR%20service:other', claims);
    assert.deepEqual(body.values, [{ value: 'mine', count: 12 }]);
    const { body: attributes } = await get('fields?field=attributes.otherOnly', claims);
    assert.deepEqual(attributes.values, []);
  });

  test(`${claims.logloom_filter}: the documents of its events, as if the other members were not there`, async () => {
    const wanted = requests.flatMap((members, r) => (members.some(isMine) ? [`0-${r * 2}`] : [])).reverse();
    for (const q of ['', 'service:mine', 'NOT service:other', 'eventCount:>0']) {
      const found: string[] = [];
      let cursor = '';
      let pages = 0;
      do {
        const query = `limit=1&q=${encodeURIComponent(q)}&cursor=${cursor}`;
        const { body } = await get(`correlations?${query}`, claims);
        assert.ok(body.total.value <= 1, 'the total does not tell what others have');
        found.push(...body.correlations.map(({ id }) => id));
        cursor = body.next ?? '';
        pages++;
      } while (cursor !== '' && pages < 50);
      assert.deepEqual(found, wanted, q);
    }
    const { body: page } = await get('correlations?limit=100', claims);
    assert.deepEqual(
      page.correlations.map(({ id }) => id),
      wanted,
    );
    assert.deepEqual(page.total, { value: wanted.length, exact: true });
    for (const q of ['service:other', 'closeReason:max', 'severity:*', 'labels.a:b', 'eventCount:3'])
      assert.deepEqual(
        (await get(`correlations?q=${encodeURIComponent(q)}`, claims)).body.correlations,
        [],
        q,
      );
    for (const q of ['host:x', 'some words'])
      assert.equal(
        (await get(`correlations?q=${encodeURIComponent(q)}`, claims)).body.error.code,
        'bad-filter',
      );
    assert.equal((await get('correlations?cursor=abc', claims)).body.error.code, 'bad-cursor');
    for (const [r, members] of requests.entries()) {
      const visible = members.filter(isMine);
      for (const id of [`0-${r * 2}`, `request-${r}`]) {
        const { status, body } = await get(`correlations/${id}`, claims);
        assert.equal(status, visible.length > 0 ? 200 : 404, id);
        if (status !== 200) continue;
        assert.deepEqual(
          body.events.map((each) => each.id),
          visible.map((each) => each.id),
        );
        assert.deepEqual(body['services'], ['mine']);
        assert.deepEqual(body['levels'], { info: visible.length });
        for (const judged of ['severity', 'closeReason', 'shape', 'rulesVersion'])
          assert.ok(!(judged in body), judged);
      }
    }
  });

  test(`${claims.logloom_filter}: the summary of its requests, as its events make them`, async () => {
    const wanted = requests.filter((members) => members.some(isMine));
    const lengths = wanted
      .map((members) => members.filter(isMine).map(({ timestamp }) => timestamp / 1000))
      .map((times) => Math.max(...times) - Math.min(...times));
    for (const by of ['service', 'shape'] as const) {
      const { body } = await get(`requests/summary?by=${by}&q=NOT%20service:other`, claims);
      const { groups, all, complete, without } = body as unknown as RequestsSummary;
      assert.deepEqual(
        groups.map(({ key, requests: count }) => [key, count]),
        [[{ [by]: 'mine' }, wanted.length]],
      );
      assert.deepEqual([complete, without, all.errors, all.p99], [true, 0, 0, Math.max(...lengths)]);
    }
  });

  test(`${claims.logloom_filter}: nothing that tells of the whole`, async () => {
    for (const path of ['status', 'jobs/x', 'saved-filters', 'dead-letters', 'events/x/origin'])
      assert.equal((await get(path, claims)).body.error.code, 'forbidden', path);
    for (const path of ['jobs/rebuild', 'jobs/redrive'])
      assert.equal((await get(path, claims, 'POST')).body.error.code, 'forbidden', path);
  });
}

test('a token without a filter sees everything', async () => {
  assert.equal((await get('search', {})).body.total.value, 24);
  assert.equal((await get('correlations', {})).body.total.value, 12);
  assert.equal((await get('status', {})).status, 200);
});

test('a filter over the limits is refused with the limit', async () => {
  const { status, body } = await get('search?q=service:a*b*c*', {});
  assert.deepEqual([status, body.error.code], [400, 'filter-too-complex']);
  assert.match(body.error.message, /3 wildcards; 2 are allowed/);
});

test('whatever others do, a tenant is answered the same, to the length of its cursors', async () => {
  const claims = { logloom_filter: 'service:tenant' };
  const at = (offset: number, service: string, id: string, attributes = '{}') =>
    event(offset, service, id, attributes);
  const store = async (members: PlacedEvent[], changes: Partial<Correlation> = {}): Promise<void> => {
    await search.index(members);
    await archive.put(members);
    await search.indexCorrelations([{ ...documentOf(members), ...changes }]);
  };
  // Its own requests are 100 s apart, so that there is room for others in between.
  const own = Array.from({ length: 6 }, (_, r) =>
    [0, 1].map((i) => at(10_000 + 100 * r + 10 * i, 'tenant', `own-${r}`, '{"requestId":"own-id"}')),
  );
  for (const members of own) await store(members);
  // One request in two parts.
  for (const [offset, i] of [
    [11_000, 0],
    [11_300, 1],
  ] as const)
    await store([0, 1].map((n) => at(offset + 10 * n + i, 'tenant', 'long')));
  const ask = async (): Promise<unknown[]> => {
    const answers: unknown[] = [];
    let next = '';
    do {
      const { status, body } = await get(`correlations?limit=2&cursor=${next}`, claims);
      next = body.next ?? '';
      answers.push({ status, ...body, next: next.length });
    } while (next !== '');
    for (const path of [
      'correlations?q=service:outsider',
      'correlations?q=severity:high%20OR%20rules:*',
      'correlations?q=eventCount:>2',
      'correlations/own-2',
      'correlations/0-10200',
      'correlations/own-id',
      'correlations/their-id',
      'correlations/0-10199',
      'correlations/long',
      'correlations/0-11301',
      'correlations/long?limit=3',
      'histogram',
      'histogram?interval=1h',
      'fields?field=service',
      'requests/summary',
      'requests/summary?by=service&q=eventCount:>1',
    ])
      answers.push(await get(path, claims));
    return answers;
  };
  const before = await ask();
  const { body: long } = await get('correlations/long', claims);
  assert.deepEqual(long['members'], [11_000, 11_010, 11_301, 11_311]);
  assert.equal(long.events.length, 4);
  assert.deepEqual(
    (long['parts'] as { id: string }[]).map(({ id }) => id),
    ['0-11000', '0-11301'],
  );
  // Another's event with the id of one of its requests: earlier in time than all, with a rule's verdict, in the highest revision.
  const outsider = at(10_205, 'outsider', 'own-2', '{"requestId":"their-id","sessionId":"own-id"}');
  const early = { ...outsider, timestamp: startMicros - 86_400_000_000 };
  const [first, last] = own[2] as [PlacedEvent, PlacedEvent];
  const verdict = { rules: ['theirs'], severity: 'high', labels: { a: 'b' }, closeReason: 'rule' as const };
  await store([first, early, last], { ...verdict, firstAt: early.timestamp, revision: 2, ids: ['their-id'] });
  // Requests of others before, between and after its own, which claim its ids.
  await search.indexCorrelations(
    Array.from({ length: 600 }, (_, r) => {
      const members = [at(9_700 + 2 * r, 'outsider', r % 2 === 0 ? 'own-3' : 'theirs')];
      return { ...documentOf(members), id: `1-${r}`, partition: 1, ids: ['own-id'], severity: 'high' };
    }),
  );
  // Another's events of the request's id, before, between and after its parts.
  for (const offset of [10_990, 11_100, 11_150, 11_400]) await store([at(offset, 'outsider', 'long')]);
  assert.deepEqual(await ask(), before);
  // A document that another's event began is known by the first event of its own.
  await store([at(10_900, 'outsider', 'shared'), at(10_901, 'tenant', 'shared')]);
  assert.equal((await get('correlations/0-10900', claims)).status, 404);
  const { body } = await get('correlations/0-10901', claims);
  assert.deepEqual([body.id, body['firstOffset'], body['members']], ['0-10901', 10_901, [10_901]]);
  assert.equal((await get('correlations/shared', claims)).body.id, '0-10901');
});

test('it is kept account of who was refused, who ordered a job and who read what', async () => {
  account.length = 0;
  const ada = { sub: 'ada' };
  // The reasons that other tests were refused for are told at most every ten seconds.
  const refusals = async () =>
    (await registry.metrics()).match(
      /refused_requests_total\{port="api",reason="(?:unauthorized|forbidden)"[^}]*\} \d+/g,
    );
  const before = await refusals();
  assert.equal((await app.inject('/api/search')).statusCode, 401);
  await get('jobs/rebuild', { ...ada, ...service }, 'POST');
  const count = (line: string): number => Number(line.split(' ')[1]);
  assert.deepEqual(
    (await refusals())!.map(count),
    before!.map((line) => count(line) + 1),
  );
  account.length = 0;
  const headers = { authorization: `Bearer ${await issuer.sign(ada)}` };
  for (const path of ['rebuild', 'redrive']) {
    const ordered = await app.inject({ method: 'POST', url: `/api/jobs/${path}`, headers, payload: {} });
    const { id } = ordered.json<{ id: string }>();
    const by = { subject: 'ada', address: '127.0.0.1' };
    assert.deepEqual(account[0], { security: 'ordered', what: `${path} ${id}`, ...by });
    const { body } = await get(`jobs/${id}`, {});
    const { at, ...known } = body['orderedBy'] as { at: string };
    assert.deepEqual(known, by);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 600_000, at);
    account.length = 0;
  }
  await app.inject({ url: `/api/search?q=service:mine&limit=1&access_token=${await issuer.sign(ada)}` });
  await get('search?q=(', ada);
  assert.deepEqual(account, [
    {
      security: 'read',
      what: '/api/search',
      query: 'q=service%3Amine&limit=1',
      subject: 'ada',
      address: '127.0.0.1',
    },
  ]);
});

test('an operator sees who sent an event or a dead letter, and when it came in', async () => {
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const sent = event(0, 'mine', 'sent');
  const value = serde.encode('LogEvent', { ...sent, receivedAt: 1_714_561_200_123 });
  const headers = senderHeaders({ key: 'shop', address: '10.0.0.1' });
  const [offset] = await log.append(topics.events, [{ partition: 1, key: null, value, headers }]);
  const placed = { ...sent, partition: 1, offset: offset! };
  await search.index([{ ...placed, id: 'sent' }]);
  const { body: origin } = await get('events/sent/origin', {});
  const { source, ...rest } = origin as unknown as { source: object };
  assert.deepEqual(rest, {
    id: 'sent',
    receivedAt: '2024-05-01T11:00:00.123000Z',
    key: 'shop',
    address: '10.0.0.1',
  });
  assert.deepEqual(source, { ...sent.source });
  assert.equal((await get('events/nowhere/origin', {})).status, 404);

  const deadLetters = Array.from({ length: 25 }, (_, n) => ({
    partition: n % 2,
    key: null,
    value: serde.encode('DeadLetter', {
      code: n % 5 === 0 ? 'bad-json' : 'too-deep',
      message: 'm',
      source: sent.source,
      receivedAt: n,
      payload: Buffer.from(`payload ${n}`),
      key: `key-${n}`,
      address: null,
    }),
  }));
  await log.append(topics.deadLetter, deadLetters);
  for (const [query, wanted] of [
    ['limit=4', Array.from({ length: 25 }, (_, n) => 24 - n)],
    ['limit=2&reason=bad-json', [20, 15, 10, 5, 0]],
    ['limit=1000', Array.from({ length: 25 }, (_, n) => 24 - n)],
    ['reason=constructor', []],
  ] as const) {
    const found: string[] = [];
    let next = '';
    for (let pages = 0; pages < 30; pages++) {
      const { body } = await get(`dead-letters?${query}&cursor=${next}`, {});
      for (const { key, payload } of body['deadLetters'] as { key: string; payload: string }[])
        found.push(`${key} ${payload}`);
      next = body.next ?? '';
      if (next === '') break;
    }
    assert.deepEqual(
      found,
      wanted.map((n) => `key-${n} payload ${n}`),
      query,
    );
  }
});

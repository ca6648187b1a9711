import { openEmbeddedArchive } from '@logloom/archive';
import type { Authenticate } from '@logloom/auth';
import { SqliteEventLog } from '@logloom/event-log';
import { parseFilter } from '@logloom/filter';
import '@logloom/runtime/testing/hold-contract';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { loadtestKind, memberDeltas, topics, type PlacedEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { correlationDocument, placedEvent, temporaryFolder } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { registerApi } from './api.ts';

const folder = temporaryFolder('loadtest-routes').path;
const log = new SqliteEventLog(join(folder, 'log'));
const open = (name: string) => ({
  search: openEmbeddedSearchStore(join(folder, name)),
  archive: openEmbeddedArchive(join(folder, name)),
});
const users = open('users');
const loadtests = open('loadtests');
const app = fastify();
let opened = 0;

const mine = parseFilter('service:mine');
assert.ok(mine.ok);
const { filter } = mine;
/** Whoever names itself a tenant has an imposed filter. */
const authenticate: Authenticate = async ({ headers }) => ({
  ok: true,
  principal: headers.authorization === 'Bearer tenant' ? { subject: 'tenant', filter } : {},
});

/** Two events of one request, of two services. */
function request(first: number, correlationKind: string): PlacedEvent[] {
  return ['mine', 'other'].map((service, i) =>
    placedEvent(first + i, {
      timestamp: (first + i) * 1_000_000,
      service,
      correlationId: 'request-1',
      correlationKind,
      attributes: correlationKind === loadtestKind ? '{"loadtest":{"run":"ab12"}}' : '{}',
    }),
  );
}

before(async () => {
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions: 1 })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  for (const [stores, first, kind] of [
    [users, 10, 'correlationId'],
    [loadtests, 20, loadtestKind],
  ] as const) {
    const members = request(first, kind);
    await stores.search.index(members);
    await stores.archive.put(members);
    const document = {
      ...correlationDocument(members[0]!.id, {
        correlationId: 'request-1',
        firstOffset: first,
        firstAt: members[0]!.timestamp,
        lastAt: members[1]!.timestamp,
        services: ['mine', 'other'],
        levels: { info: 2 },
        memberDeltas: memberDeltas(members.map(({ offset }) => offset)),
      }),
      kind,
    };
    await stores.search.indexCorrelations([document]);
    await stores.archive.putCorrelations([document]);
  }
  registerApi(app, {
    ...users,
    log,
    serde,
    version: 'test',
    authenticate,
    loadtest: async () => {
      opened++;
      return loadtests;
    },
  });
});

after(async () => {
  await app.close();
  for (const { search, archive } of [users, loadtests]) await Promise.all([search.close(), archive.close()]);
  await log.close();
});

interface Answer {
  total: { value: number };
  events: { id: string; service: string; offset: number }[];
  correlations: { id: string }[];
}

async function get(path: string, as?: 'tenant') {
  const headers = as === undefined ? {} : { authorization: `Bearer ${as}` };
  const response = await app.inject({ method: 'GET', url: `/api/${path}`, headers });
  return { status: response.statusCode, ...response.json<Answer>() };
}

const asking = `search?q=${encodeURIComponent('correlationKind:loadtest AND attributes.loadtest.run:ab12')}`;

test('a query that does not ask for load tests opens none of their stores', async () => {
  const before = opened;
  assert.equal((await get('search')).total.value, 2);
  assert.equal((await get('search?q=loadtest')).total.value, 0);
  assert.equal((await get('correlations?q=service:mine')).total.value, 1);
  assert.equal((await get('correlations/request-1')).events[0]!.offset, 10);
  assert.equal(opened, before);
  assert.equal((await get(asking)).total.value, 2);
  assert.equal(opened, before + 1);
});

test('a principal with an imposed filter gets of a load test what it would get of the same events of users', async () => {
  assert.deepEqual(
    (await get(asking, 'tenant')).events.map(({ service }) => service),
    ['mine'],
  );
  const { correlations } = await get('correlations?q=kind:loadtest', 'tenant');
  assert.equal(correlations.length, 1);
  const document = await get(`correlations/${correlations[0]!.id}`, 'tenant');
  assert.deepEqual(
    document.events.map(({ offset }) => offset),
    [20],
  );
  const [, theirs] = request(20, loadtestKind);
  assert.equal((await get(`events/${theirs!.id}`, 'tenant')).status, 404);
  assert.equal((await get(`events/${theirs!.id}`)).status, 200);
  // The same id leads to a user's request first.
  assert.deepEqual(
    (await get('correlations/request-1', 'tenant')).events.map(({ offset }) => offset),
    [10],
  );
});

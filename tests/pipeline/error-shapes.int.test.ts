import { createFanout } from '@logloom/fanout';
import { registerApi, type ApiDeps } from '@logloom/indexer';
import { startIngest } from '@logloom/ingest';
import { createHealthServer } from '@logloom/runtime';
import { holdResponse } from '@logloom/runtime/testing/hold-contract';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { closedPorts, temporaryFolder } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertShape, collectRoutes, concrete, exchange, type Route } from './error-shapes.ts';
import { Pipeline } from './pipeline.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const json = { 'content-type': 'application/json' };

/** What a client may get wrong about a route. */
function mistakes(
  { method, pattern }: Route,
  tooLarge: string,
): { what: string; init: RequestInit; path: string }[] {
  const path = concrete(pattern);
  const query = pattern === '/live/poll' ? '?wait=0&' : '?';
  const wrong = [
    ...methods
      .filter((other) => other !== method)
      .map((other) => ({ what: `method ${other}`, path, init: { method: other } })),
    { what: 'unknown path', path: `${path}/no/such/part`, init: { method } },
    { what: 'malformed path', path: `${path}%`, init: { method } },
    { what: 'unknown parameter', path: `${path}${query}nosuch=1`, init: { method } },
    { what: 'bad filter', path: `${path}${query}q=%28`, init: { method } },
    { what: 'bad filter', path: `${path}${query}filter=%28`, init: { method } },
    { what: 'page of another origin', path, init: { method, headers: { origin: 'https://evil.example' } } },
  ];
  // The server may be what is wrong.
  if (method === 'GET') return [...wrong, { what: 'no mistake', path: path + query, init: { method } }];
  return [
    ...wrong,
    { what: 'malformed JSON', path, init: { method, headers: json, body: '{"a":' } },
    { what: 'empty body', path, init: { method, headers: json, body: '' } },
    { what: 'wrong JSON', path, init: { method, headers: json, body: '[null]' } },
    { what: 'unknown type', path, init: { method, headers: { 'content-type': 'image/png' }, body: 'x' } },
    {
      what: 'unknown encoding',
      path,
      init: { method, headers: { ...json, 'content-encoding': 'rot13' }, body: '{}' },
    },
    {
      what: 'broken encoding',
      path,
      init: { method, headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
    },
    { what: 'large body', path, init: { method, headers: json, body: tooLarge } },
  ];
}

/** Makes every mistake with every route; returns the codes that were seen. */
async function walk(url: string, routes: readonly Route[], maxBodyBytes = 2 ** 20): Promise<Set<string>> {
  const tooLarge = `["${'x'.repeat(maxBodyBytes)}"]`;
  const codes = new Set<string>();
  for (const route of routes)
    for (const { what, path, init } of mistakes(route, tooLarge)) {
      const response = await fetch(url + path, init);
      const { status, headers } = response;
      if (status < 400) {
        await response.body?.cancel();
        continue;
      }
      const body = Buffer.from(await response.arrayBuffer());
      const about = `${what}: ${init.method} ${path}: ${status} ${body.toString().slice(0, 300)}`;
      const type = headers.get('content-type') ?? '';
      codes.add(assertShape({ status, type, body, path }, about));
      // What reaches the route is as documented; a proxy of ours may refuse the others before.
      if (!/^(method|unknown path|malformed path)/.test(what)) {
        const text = type.includes('protobuf') ? '' : body.toString();
        holdResponse({ method: route.method, route: route.pattern, status, contentType: type, body: text });
      }
      if (status === 405) assert.ok(headers.get('allow'), about);
    }
  return codes;
}

/** The routes, those of the pattern at the end. */
function lastOf(routes: readonly Route[], last: string): Route[] {
  return routes.toSorted((a, b) => Number(a.pattern === last) - Number(b.pattern === last));
}

/** What does not become a request of a route, as it is written on the wire. */
const onTheWire: readonly (readonly [string, number, string])[] = [
  ['no HTTP', 400, 'HELO there\r\n\r\n'],
  ['no Host', 400, 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['malformed header', 400, 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nno header\r\n\r\n'],
  ['malformed path', 400, 'GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
  ['large headers', 431, `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['foreign name', 421, 'GET /nowhere HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n'],
  ['expectation', 404, 'GET /no/where HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nConnection: close\r\n\r\n'],
  [
    'two lengths',
    400,
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  ],
];

const upgrade = (path: string, more: string, method = 'GET'): string =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;
const handshake = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const upgrades: readonly (readonly [string, number, string])[] = [
  ['upgrade of another path', 404, upgrade('/nowhere', handshake)],
  ['upgrade without a key', 400, upgrade('/live', 'Sec-WebSocket-Version: 13\r\n')],
  ['upgrade to another version', 400, upgrade('/live', handshake.replace('13', '7'))],
  ['upgrade by POST', 405, upgrade('/live', handshake, 'POST')],
  ['upgrade by another origin', 403, upgrade('/live', `${handshake}Origin: https://evil.example\r\n`)],
  ['upgrade under a foreign name', 421, upgrade('/live', handshake).replace('localhost', 'rebound.example')],
];

async function walkWire(url: string, cases: readonly (readonly [string, number, string])[]): Promise<void> {
  for (const [what, status, bytes] of cases) {
    const response = await exchange(Number(new URL(url).port), bytes);
    const about = `${what}: ${response.status} ${response.body.toString()}`;
    assert.equal(response.status, status, about);
    assertShape({ ...response, path: '' }, about);
  }
}

test('every port answers every mistake in one shape', async (t) => {
  const folder = temporaryFolder('error-shapes').path;
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const stop = new AbortController();
  const telemetry = createTelemetry('test', 'silent');
  const settingsIn = (name: string, more: Record<string, string> = {}) =>
    parseSettings({ LOGLOOM_DATA: join(folder, name), LOG_PARTITIONS: '1', ...closedPorts, ...more });

  await t.test('applications', async () => {
    const routes = collectRoutes();
    const settings = settingsIn('ingest', { INGEST_PORT: '0', INGEST_MAX_BODY_BYTES: '65536' });
    const context = { settings, telemetry, signal: stop.signal, onReady: () => {} };
    const { address } = await startIngest(context);
    const found = routes.stop();
    for (const path of ['/ingest', '/v1/logs', '/_bulk', '/loki/api/v1/push', '/health/ready', '/ready'])
      assert.ok(
        found.some(({ pattern }) => pattern === path),
        path,
      );
    const codes = await walk(address, found, 65_536);
    for (const code of ['not-found', 'method-not-allowed', 'bad-json', 'unsupported-type', 'body-too-large'])
      assert.ok(codes.has(code), code);
    await walkWire(address, onTheWire);
  });

  await t.test('a service on its own', async () => {
    const routes = collectRoutes();
    const health = { ready: true, checks: [() => 'Redis does not respond'] };
    const options = { settings: settingsIn('health'), telemetry, health };
    await using server = createHealthServer({ ...options, metrics: async () => assert.fail('broken') });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const codes = await walk(url, routes.stop());
    for (const code of ['degraded', 'internal-error', 'not-found', 'method-not-allowed', 'bad-origin'])
      assert.ok(codes.has(code), code);
    await walkWire(url, onTheWire);
  });

  await t.test('viewers and operators', async () => {
    const live = collectRoutes();
    const settings = settingsIn('live', { LIVE_PORT: '0' });
    const ready = Promise.withResolvers<void>();
    const context = { settings, telemetry, signal: stop.signal, tracingSettings: undefined };
    const running = createFanout().run({ ...context, onReady: ready.resolve });
    await Promise.race([ready.promise, running]);
    const api = collectRoutes();
    // Only its routes are looked at.
    await using app = fastify();
    registerApi(app, { jobs: {} } as unknown as ApiDeps);
    await app.ready();
    const found = [...live.stop(), ...api.stop(), { method: 'GET', pattern: '/' }];
    for (const path of ['/live/sse', '/live/poll', '/api/search', '/api/jobs/redrive', '/health/ready'])
      assert.ok(
        found.some(({ pattern }) => pattern === path),
        path,
      );
    const pipeline = await Pipeline.create();
    try {
      await pipeline.start();
      // The walk drains it, by a request without a mistake.
      await walkWire(pipeline.viewersUrl, [...onTheWire, ...upgrades]);
      const codes = await walk(pipeline.viewersUrl, lastOf(found, '/admin/drain'));
      for (const code of [
        'not-found',
        'method-not-allowed',
        'bad-json',
        'unsupported-type',
        'body-too-large',
      ])
        assert.ok(codes.has(code), code);
      for (const code of ['bad-parameter', 'bad-filter', 'bad-origin']) assert.ok(codes.has(code), code);
    } finally {
      await pipeline.end('SIGTERM');
      rmSync(pipeline.dataFolder, { recursive: true, force: true });
    }
    stop.abort();
    await running;
  });
  stop.abort();
});

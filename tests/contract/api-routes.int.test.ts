import { createFanout } from '@logloom/fanout';
import { registerApi, type ApiDeps } from '@logloom/indexer';
import { startIngest } from '@logloom/ingest';
import {
  documentedPath,
  documentedRoute,
  documentedRoutes,
  queryParameters,
  type DocumentedRoute,
} from '@logloom/runtime/testing/contract';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { authenticateNobody } from '@logloom/auth';
import { closedPorts, eventually, temporaryFolder } from '@logloom/testing';
import { createViewersServer } from '../../apps/logloom/src/up/viewers-server.ts';
import { collectRoutes, concrete, type Route } from '../pipeline/error-shapes.ts';
import { Pipeline } from '../pipeline/pipeline.ts';

const folder = temporaryFolder('api-routes').path;
const stop = new AbortController();
const telemetry = createTelemetry('test', 'silent');
const ingestPort = '4318';
const viewersPort = '4380';
/** Other protocols' routes: they ignore parameters that they do not know. */
const foreign = new Set(['Datadog', 'Elasticsearch', 'GELF', 'Loki', 'OpenTelemetry', 'Splunk', 'journald']);
const served = new Map<string, Route[]>();
let ended: Promise<unknown>;
let ingestUrl: string;

before(async () => {
  const settingsIn = (name: string, more: Record<string, string>) =>
    parseSettings({ LOGLOOM_DATA: join(folder, name), LOG_PARTITIONS: '1', ...closedPorts, ...more });
  const context = { telemetry, signal: stop.signal, tracingSettings: undefined };

  const ingest = collectRoutes();
  const settings = settingsIn('ingest', { INGEST_PORT: '0' });
  const running = await startIngest({ ...context, settings, onReady: () => {} });
  ingestUrl = running.address;
  served.set(ingestPort, ingest.stop());

  const viewers = collectRoutes();
  const live = settingsIn('live', { LIVE_PORT: '0' });
  const ready = Promise.withResolvers<void>();
  const fanout = createFanout().run({ ...context, settings: live, onReady: ready.resolve });
  await Promise.race([ready.promise, fanout]);
  ended = Promise.all([running.done, fanout]);
  // Only their routes are looked at.
  await using api = fastify();
  registerApi(api, { jobs: {} } as unknown as ApiDeps);
  await api.ready();
  const deps = { health: { ready: true }, services: [], apis: [], authenticate: authenticateNobody };
  await using server = await createViewersServer({
    ...deps,
    telemetry,
    settings: live,
    workerMetrics: async () => [],
  });
  await server.ready();
  served.set(viewersPort, viewers.stop());
});

after(async () => {
  stop.abort();
  await ended;
  rmSync(folder, { recursive: true });
});

/** What the viewers' server hands on to the API, and the files of the console, are no routes of their own. */
function isOwn({ pattern }: Route): boolean {
  return pattern !== '/api/*' && !/^\/viewer\/src\/|^\/[\w-]+\.(js|css|svg|html)$/.test(pattern);
}

function portsOf({ item, operation }: DocumentedRoute): string[] {
  const servers = operation.servers ?? item.servers;
  return servers === undefined ? [viewersPort] : servers.map(({ url }) => new URL(url).port);
}

test('every route that a server registers is documented, for its port', () => {
  for (const [port, routes] of served) {
    const missing = routes.filter(isOwn).filter(({ method, pattern }) => {
      const found = documentedRoute(method, pattern);
      return found === undefined || !portsOf(found).includes(port);
    });
    assert.deepEqual(
      missing.map(({ method, pattern }) => `${port}: ${method} ${pattern}`),
      [],
    );
  }
});

test('every documented route is registered, at each of its ports', () => {
  const missing = documentedRoutes().flatMap((route) =>
    portsOf(route)
      .filter((port) => {
        const method = route.method.toUpperCase();
        // collectRoutes() leaves HEAD out, which fastify adds to GET.
        if (method === 'HEAD') return false;
        const routes = served.get(port)!;
        return !routes.some((r) => r.method === method && documentedPath(r.pattern) === route.path);
      })
      .map((port) => `${port}: ${route.method} ${route.path}`),
  );
  assert.deepEqual(missing, []);
});

test('a parameter that a route does not know is refused with those that it knows: the documented ones', async () => {
  await using pipeline = await Pipeline.create();
  await pipeline.start();
  // Its threads start last; a request that waits for them too long gets 503.
  await eventually(
    'the API responds',
    async () => (await fetch(`${pipeline.viewersUrl}/api/search?limit=0`)).ok,
  );
  const bases = new Map([
    [ingestPort, ingestUrl],
    [viewersPort, pipeline.viewersUrl],
  ]);
  let asked = 0;
  for (const route of documentedRoutes()) {
    const { path, method, operation } = route;
    // The page's own state is in its URL.
    if (path === '/' || operation.tags.some((tag) => foreign.has(tag))) continue;
    const known = queryParameters(route);
    for (const port of portsOf(route)) {
      const url = `${bases.get(port)}${concrete(path.replaceAll(/\{(\w+)\}/g, ':$1'))}?nosuch=1`;
      const json = method === 'post' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
      const response = await fetch(url, { method: method.toUpperCase(), ...json });
      const body = (await response.json()) as { error: { code: string; parameter: string; known: string[] } };
      const about = `${method} ${url}: ${JSON.stringify(body)}`;
      assert.equal(response.status, 400, about);
      assert.equal(body.error.code, 'bad-parameter', about);
      assert.equal(body.error.parameter, 'nosuch', about);
      assert.deepEqual(body.error.known.toSorted(), known.toSorted(), about);
      asked++;
    }
  }
  assert.ok(asked > 25, `${asked} routes were asked`);
});

test('other protocols ignore parameters that they do not know', async () => {
  for (const path of [
    '/_bulk?pipeline=x&nosuch=1',
    '/v1/logs?nosuch=1',
    '/v1/traces?nosuch=1',
    '/loki/api/v1/push?nosuch=1',
    '/services/collector?nosuch=1',
    '/api/v2/logs?nosuch=1',
    '/gelf?nosuch=1',
    '/upload?nosuch=1',
  ]) {
    const headers = { 'content-type': 'application/json' };
    const body = path.startsWith('/_bulk') ? '{"index":{}}\n{"message":"m"}\n' : '{}';
    const response = await fetch(ingestUrl + path, { method: 'POST', headers, body });
    assert.doesNotMatch(await response.text(), /bad-parameter/, path);
  }
});

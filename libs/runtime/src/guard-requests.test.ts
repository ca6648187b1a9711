import { serviceSettings } from './settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardRequests, registerHealth, registerMetrics } from './index.ts';

async function openServer(env: Record<string, string> = {}) {
  const app = fastify();
  const telemetry = createTelemetry('test', 'silent');
  const settings = serviceSettings.parse(env);
  guardRequests(app, { settings, telemetry, port: 'viewers' });
  registerHealth(app, { ready: true });
  registerMetrics(app, () => telemetry.registry.metrics(), { settings, telemetry });
  app.get('/file', async (_, reply) => reply.header('cache-control', 'no-cache').send('text'));
  app.post('/jobs', async () => ({ ordered: true }));
  await app.ready();
  return { app, telemetry };
}

test('every path is guarded, also those that are not there, but not those that tell whether it lives', async () => {
  const { app, telemetry } = await openServer();
  const bad = { host: 'evil.example' };
  for (const [method, url, headers, status, code] of [
    ['GET', '/metrics', bad, 421, 'bad-host'],
    ['GET', '/nowhere', bad, 421, 'bad-host'],
    ['POST', '/jobs', { origin: 'https://evil.example' }, 403, 'bad-origin'],
    ['POST', '/jobs', { 'sec-fetch-site': 'cross-site' }, 403, 'bad-origin'],
    ['POST', '/jobs', {}, 200, undefined],
    ['GET', '/metrics', { host: '127.0.0.1:9103' }, 200, undefined],
    ['GET', '/health/ready', bad, 200, undefined],
    ['GET', '/health/live', { host: '10.1.2.3:9103' }, 200, undefined],
  ] as const) {
    const answer = await app.inject({ method, url, headers });
    assert.equal(answer.statusCode, status, `${method} ${url}`);
    if (code !== undefined) assert.equal(answer.json<{ error: { code: string } }>().error.code, code);
  }
  const metrics = await telemetry.registry.metrics();
  assert.match(metrics, /logloom_security_refused_requests_total\{port="viewers",reason="bad-host"[^}]*\} 2/);
  assert.match(
    metrics,
    /logloom_security_refused_requests_total\{port="viewers",reason="bad-origin"[^}]*\} 2/,
  );
  await app.close();
});

test('a server that others reach goes by its addresses and the names that it was given', async () => {
  const { app } = await openServer({ HOST: '0.0.0.0', ALLOWED_HOSTS: 'logs.example.com' });
  for (const [host, status] of [
    ['10.1.2.3:9103', 200],
    ['logs.example.com', 200],
    ['evil.example', 421],
  ] as const)
    assert.equal((await app.inject({ url: '/metrics', headers: { host } })).statusCode, status, host);
  await app.close();
});

test('answers say what a browser may do with them', async () => {
  const { app } = await openServer();
  for (const [url, cached] of [
    ['/file', 'no-cache'],
    ['/metrics', 'no-store'],
    ['/nowhere', 'no-store'],
  ] as const) {
    const { headers } = await app.inject(url);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['cache-control'], cached, url);
  }
  await app.close();
});

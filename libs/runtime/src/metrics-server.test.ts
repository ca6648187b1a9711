import { createTelemetry, type Telemetry } from '@logloom/telemetry';
import { freePort } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealthServer } from './health-server.ts';
import { serveMetrics } from './metrics-server.ts';
import { serviceSettings } from './settings.ts';

const token = 'a-token-of-16-or-more';

function rig(env: Record<string, string>) {
  const settings = serviceSettings.parse(env);
  const warnings: string[] = [];
  const { registry } = createTelemetry('test', 'silent');
  const logger = { warn: (text: string) => warnings.push(text), error: () => {} };
  const telemetry = { registry, logger: logger as unknown as Telemetry['logger'] };
  const text = async () => 'up 1\n';
  const health = createHealthServer({ settings, telemetry, health: { ready: true }, metrics: text });
  return { health, warnings, serve: () => serveMetrics(text, { settings, telemetry }), registry };
}

test('/metrics asks for the token where one is set, and health does not', async () => {
  const { health, registry } = rig({ METRICS_TOKEN: token });
  const get = async (authorization?: string) =>
    health.inject({ url: '/metrics', headers: authorization === undefined ? {} : { authorization } });
  for (const wrong of [undefined, 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`, 'Bearer ']) {
    const { statusCode, headers, body } = await get(wrong);
    assert.equal(statusCode, 401, wrong);
    assert.equal(headers['www-authenticate'], 'Bearer');
    assert.match(body, /"code":"unauthorized"/);
    assert.doesNotMatch(body, /up 1/);
  }
  const { statusCode, body } = await get(`bearer ${token}`);
  assert.deepEqual([statusCode, body], [200, 'up 1\n']);
  assert.equal((await health.inject('/health/ready')).statusCode, 200);
  assert.match(
    await registry.metrics(),
    /security_refused_requests_total\{port="metrics",reason="unauthorized",service="test"\} 5/,
  );
});

test('METRICS_PORT serves metrics, and nothing else does', async () => {
  const port = await freePort();
  const { health, serve } = rig({ METRICS_PORT: String(port), METRICS_TOKEN: token });
  await using open = new AsyncDisposableStack();
  open.use(await serve());
  assert.equal((await health.inject('/metrics')).statusCode, 404);
  const base = `http://127.0.0.1:${port}`;
  assert.equal((await fetch(`${base}/metrics`)).status, 401);
  const response = await fetch(`${base}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(await response.text(), 'up 1\n');
  assert.equal((await fetch(`${base}/health/ready`)).status, 404);
});

test('a port that is taken stops the start', async () => {
  await using other = fastify();
  const address = new URL(await other.listen({ host: '127.0.0.1', port: 0 }));
  await assert.rejects(rig({ METRICS_PORT: address.port }).serve(), { code: 'EADDRINUSE' });
});

test('open metrics on an address that is not loopback are warned of', async () => {
  const port = String(await freePort());
  for (const [env, count] of [
    [{}, 0],
    [{ HOST: '0.0.0.0' }, 1],
    [{ HOST: '0.0.0.0', PUBLISHED_ON: '127.0.0.1' }, 0],
    [{ HOST: '0.0.0.0', METRICS_TOKEN: token }, 0],
    [{ HOST: '127.0.0.2', METRICS_PORT: port }, 0],
  ] as const) {
    const { serve, warnings } = rig(env);
    await (await serve())[Symbol.asyncDispose]();
    assert.equal(warnings.length, count, JSON.stringify(env));
  }
});

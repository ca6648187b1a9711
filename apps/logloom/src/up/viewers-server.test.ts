import { authenticateNobody } from '@logloom/auth';
import '@logloom/runtime/testing/hold-contract';
import { parseSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceThread } from './service-thread.ts';
import { createViewersServer } from './viewers-server.ts';

test('the port of viewers answers pages under its own names only, and other pages cannot order jobs', async () => {
  const settings = parseSettings({});
  const telemetry = createTelemetry('logloom', 'silent');
  // Not started: what gets through to it is answered 503.
  const api = new ServiceThread({ service: 'api', settings, tracing: undefined }, telemetry.logger);
  api.stop();
  const app = await createViewersServer({
    telemetry,
    health: { ready: true },
    services: [],
    apis: [api],
    settings,
    authenticate: authenticateNobody,
    workerMetrics: async () => [],
  });
  const json = { 'content-type': 'application/json' };
  for (const [method, url, headers, status] of [
    ['GET', '/', { host: 'rebound.example' }, 421],
    ['GET', '/api/search', { host: 'rebound.example' }, 421],
    ['POST', '/api/jobs/redrive', { host: 'rebound.example', ...json }, 421],
    ['POST', '/api/jobs/redrive', { origin: 'https://evil.example', ...json }, 403],
    ['DELETE', '/api/saved-filters/a', { 'sec-fetch-site': 'cross-site' }, 403],
    ['GET', '/metrics', { host: 'rebound.example' }, 421],
    ['GET', '/health/ready', { host: '10.1.2.3:4380' }, 200],
    ['GET', '/', { host: 'localhost:4380' }, 200],
  ] as const) {
    const payload = method === 'POST' ? '{}' : undefined;
    const answer = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    assert.equal(answer.statusCode, status, `${method} ${url} ${JSON.stringify(headers)}`);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin');
  }
  const page = await app.inject('/');
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  await app.close();
});

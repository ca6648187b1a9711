import { authenticateNobody } from '@logloom/auth';
import '@logloom/runtime/testing/hold-contract';
import type { PlacedEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { parseSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { eventually, placedEvent, temporaryFolder } from '@logloom/testing';
import type { FastifyInstance } from 'fastify';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { get, type ClientRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ServiceThread } from './service-thread.ts';
import { createViewersServer } from './viewers-server.ts';

const folder = temporaryFolder('viewers').path;
const settings = parseSettings({ LOGLOOM_DATA: folder, LOG_PARTITIONS: '1', LOG_LEVEL: 'error' });
/** Lists with escapes: what DuckDB's functions do not read as filters do is tested row by row in JavaScript. */
const attributes = JSON.stringify({ 'a.b': Array.from({ length: 20 }, (_, i) => `abc\n abc ${i}`) });
/** Tests every row, each with many steps. */
const heavy = `/api/search?limit=1&q=${encodeURIComponent(
  Array.from({ length: 12 }, (_, i) => `attributes.a.b:*a*b*c*${i}z*`).join(' OR '),
)}`;

describe('/api of the one-process mode', () => {
  const telemetry = createTelemetry('logloom', 'silent');
  const apis = [1, 2].map(
    () => new ServiceThread({ service: 'api', settings, tracing: undefined }, telemetry.logger),
  );
  let app: FastifyInstance;
  let running: Promise<void[]>;
  let port: number;

  before(async () => {
    const search = openEmbeddedSearchStore(join(folder, 'stores'));
    for (let n = 0; n < 40; n++)
      await search.index(Array.from({ length: 500 }, (_, i) => event(500 * n + i)));
    await search.index([event(100_000, { message: `large ${'x'.repeat(900_000)}` })]);
    for (let n = 1; n < 40; n++)
      await search.index([event(100_000 + n, { message: `large ${'x'.repeat(900_000)}` })]);
    await search.close();
    running = Promise.all(apis.map((api) => api.run(() => {})));
    app = await createViewersServer({
      telemetry,
      health: { ready: true },
      services: [],
      apis,
      settings,
      authenticate: authenticateNobody,
      workerMetrics: async () => [],
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = (app.server.address() as AddressInfo).port;
    await eventually(
      'a search is answered',
      async () => (await ask('127.0.0.1', '/api/search?limit=1').answer) === 200,
    );
  });

  after(async () => {
    await app.close();
    for (const api of apis) api.stop();
    await running;
    rmSync(folder, { recursive: true });
  });

  /** From an address of its own. */
  function ask(localAddress: string, path: string): { request: ClientRequest; answer: Promise<number> } {
    const { promise, resolve } = Promise.withResolvers<number>();
    const request = get({ host: '127.0.0.1', port, path, localAddress, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!)).on('error', () => resolve(0));
    });
    request.on('error', () => resolve(0));
    return { request, answer: promise };
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  test('requests are measured by the route that the thread knows', async () => {
    for (const path of ['/api/events/none', '/api/nothing', '/api/search?limit=1&q=level:('])
      await ask('127.0.0.1', path).answer;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const labels of [
      'route="/api/events/:id",status="4xx"',
      'route="none",status="4xx"',
      'route="/api/search",status="4xx"',
      'route="/api/search",status="2xx"',
    ])
      assert.match(
        text,
        new RegExp(`^logloom_api_request_duration_seconds_count\\{${labels}.*\\} \\d+$`, 'm'),
      );
  });

  test('twenty searches end when their sender has gone: what waits is never begun, what runs is ended', async () => {
    const before = await metric('logloom_api_started_requests_total');
    const asked = Array.from({ length: 20 }, () => ask('127.0.0.2', heavy));
    await eventually(
      'a request has begun',
      async () => (await metric('logloom_api_started_requests_total')) > before,
    );
    for (const { request } of asked) request.destroy();
    assert.equal(await ask('127.0.0.3', '/api/search?limit=1').answer, 200);
    await eventually(
      'a query was cancelled',
      async () => (await metric('logloom_api_cancelled_queries_total')) > 0,
    );
    await eventually(
      'a request was cancelled',
      async () => (await metric('logloom_api_cancelled_requests_total')) > 0,
    );
    await eventually('no request is at work', async () => (await metric('logloom_api_requests')) === 0);
    const begun = (await metric('logloom_api_started_requests_total')) - before - 1;
    const ended = await metric('logloom_api_cancelled_requests_total');
    assert.equal(begun + ended, 20);
    assert.ok(begun < 5, `${begun} of 20 were begun`);
  });

  test('twenty searches of one client do not hold up the one of another', async () => {
    let answered = 0;
    const before = await metric('logloom_api_started_requests_total');
    const asked = Array.from({ length: 20 }, () => ask('127.0.0.2', heavy));
    for (const { answer } of asked) void answer.then(() => answered++);
    await eventually(
      'a request has begun or was answered',
      async () => (await metric('logloom_api_started_requests_total')) > before || answered > 0,
    );
    assert.equal(await ask('127.0.0.3', '/api/search?limit=1').answer, 200);
    assert.ok(answered < 10, `${answered} of 20 were answered before`);
    for (const { request } of asked) request.destroy();
    await eventually('no request is at work', async () => (await metric('logloom_api_requests')) === 0);
  });

  test('more than may wait is answered 429, and others are answered', async () => {
    const asked = Array.from({ length: 80 }, () => ask('127.0.0.4', heavy));
    const first = await Promise.race(asked.map(({ answer }) => answer));
    assert.ok(first === 429 || first === 200);
    assert.equal(await ask('127.0.0.5', '/api/search?limit=1').answer, 200);
    assert.ok((await metric('logloom_api_refused_requests_total')) > 0);
    for (const { request } of asked) request.destroy();
    await eventually('no request is at work', async () => (await metric('logloom_api_requests')) === 0);
  });

  test('a page of large events ends early, and answers that nobody reads are bounded', async () => {
    const path = '/api/search?limit=1000&q=large';
    const page = await fetch(`http://127.0.0.1:${port}${path}`);
    const text = await page.text();
    assert.ok(text.length < 16 * 2 ** 20, `${text.length} bytes`);
    assert.ok((JSON.parse(text) as { next?: string }).next !== undefined);
  });
});

function event(offset: number, fields: Partial<PlacedEvent> = {}): PlacedEvent {
  return placedEvent(offset, {
    service: 'web',
    message: `${'abc '.repeat(100)}${offset}`,
    attributes,
    ...fields,
  });
}

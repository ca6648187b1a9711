import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Pipeline } from '../../../tests/pipeline/pipeline.ts';
import { ingestHost, viewersHost } from '../testing/example-names.ts';
import { whyMissing } from '../testing/proxy-kind.ts';
import { ProxyServer } from '../testing/proxy-server.ts';
import { traefik } from '../testing/traefik-kind.ts';

const skip = whyMissing(traefik) ?? false;
let pipeline: Pipeline;

before(async () => {
  if (skip !== false) return;
  pipeline = await Pipeline.create({ ALLOWED_HOSTS: `${viewersHost},${ingestHost}` });
  await pipeline.start();
});

after(() => pipeline?.[Symbol.asyncDispose]());

async function statusOf(proxy: ProxyServer, path: string): Promise<number> {
  const response = await proxy.get(path);
  response.resume();
  return response.statusCode!;
}

/** How often each status came for so many requests at once. */
async function flood(proxy: ProxyServer, path: string, requests: number): Promise<Map<number, number>> {
  const statuses = await Promise.all(Array.from({ length: requests }, () => statusOf(proxy, path)));
  return new Map([...Map.groupBy(statuses, (status) => status)].map(([status, of]) => [status, of.length]));
}

test('a flood of searches gets 429, and viewers do not notice', { skip }, async () => {
  await using proxy = await ProxyServer.start(traefik, await freePort(), pipeline);
  const statuses = await flood(proxy, '/api/openapi.json', 600);
  assert.deepEqual([...statuses.keys()].sort(), [200, 429]);
  assert.ok(statuses.get(200)! >= 100, `the burst is served: ${statuses.get(200)}`);
  assert.equal(await statusOf(proxy, '/live/durable'), 200);
  await eventually('searches again', async () => (await statusOf(proxy, '/api/status')) === 200);
});

test(
  'while the search API is away the circuit breaker responds, and closes when it is back',
  { skip },
  async () => {
    await using proxy = await ProxyServer.start(traefik, await freePort(), pipeline);
    const routes = proxy.files[1]!;
    const working = readFileSync(routes, 'utf8');
    const api = /(?<=\n {4}api:\n {6}loadBalancer:\n.*)http:\/\/[\d.:]+/;
    writeFileSync(routes, working.replace(api, `http://127.0.0.1:${await freePort()}`));
    await eventually(
      'what the proxy cannot reach',
      async () => (await statusOf(proxy, '/api/status')) === 502,
    );
    await eventually('an open breaker', async () => (await statusOf(proxy, '/api/status')) === 503);
    assert.equal(await statusOf(proxy, '/live/durable'), 200, 'viewers have a breaker of their own, or none');
    writeFileSync(routes, working);
    await eventually('a closed breaker', async () => (await statusOf(proxy, '/api/status')) === 200);
  },
);

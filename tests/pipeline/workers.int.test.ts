import { TestIssuer } from '@logloom/auth/test-issuer';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { holdMetrics } from './hold-metrics.ts';
import { Pipeline } from './pipeline.ts';

test('with LIVE_WORKERS the one-process mode serves viewers from processes of their own', async () => {
  await using pipeline = await Pipeline.create({ LIVE_WORKERS: '2', LIVE_DRAIN_MS: '500' });
  await pipeline.start();
  const { viewersUrl } = pipeline;
  const headers = { connection: 'close' };
  const wanted = [
    '/',
    '/main.js',
    '/api/status',
    '/api/search?q=level:error',
    '/health/live',
    '/health/ready',
  ];
  for (const path of wanted) {
    for (let i = 0; i < 6; i++)
      assert.equal((await fetch(viewersUrl + path, { headers })).status, 200, `${path}, connection ${i}`);
  }
  const refused = await fetch(`${viewersUrl}/api/search?q=level:(`, { headers });
  assert.equal(refused.status, 400);
  const metrics = await (await fetch(`${viewersUrl}/metrics`, { headers })).text();
  assert.match(metrics, /^logloom_live_workers\{.*\} 2$/m);
  assert.match(metrics, /^logloom_ingest_/m);

  const viewers = Array.from({ length: 12 }, () => new WebSocket(`${viewersUrl.replace('http', 'ws')}/live`));
  const received = viewers.map(() => '');
  for (const [i, viewer] of viewers.entries()) {
    viewer.on('open', () => viewer.send('{"type":"subscribe","id":"a"}'));
    viewer.on('message', (data) => (received[i] += (data as Buffer).toString()));
    viewer.on('error', () => {});
  }
  const all = (text: string) => async () => received.every((messages) => messages.includes(text));
  await eventually('all subscribed', all('"subscribed"'));
  await pipeline.ingest('{"service":"web","message":"for everyone"}');
  await eventually('all have it', all('for everyone'));

  // The viewers of all workers are listed together, a page at a time, and ended wherever they are.
  const seen = new Set<string>();
  let page: { total: number; viewers: { id: string; events: number }[]; next?: string };
  for (let query = 'limit=5'; ; query = `limit=5&cursor=${page.next}`) {
    page = await pipeline.get(`/api/viewers?${query}`);
    assert.equal(page.total, viewers.length);
    for (const { id, events } of page.viewers) {
      seen.add(id);
      assert.equal(events, 1);
    }
    if (page.next === undefined) break;
  }
  assert.equal(seen.size, viewers.length);
  const [id] = seen;
  const ended = await fetch(`${viewersUrl}/api/viewers/${id}`, { method: 'DELETE', headers });
  assert.equal(ended.status, 204);
  await eventually(
    'one is told so',
    async () => received.filter((messages) => messages.includes('"reason":"ended"')).length === 1,
  );

  await holdMetrics(pipeline);

  // A drain empties all workers, which are no longer ready then, and nothing else ends.
  const drain = async (): Promise<unknown> => {
    const response = await fetch(`${viewersUrl}/admin/drain?over=300`, { method: 'POST', headers });
    assert.equal(response.status, 200);
    return ((await response.json()) as { viewers: number }).viewers;
  };
  assert.ok(Number(await drain()) > 0);
  await eventually('no viewer is left', async () => (await drain()) === 0);
  assert.equal((await fetch(`${viewersUrl}/health/ready`, { headers })).status, 503);
  assert.equal((await fetch(`${viewersUrl}/api/status`, { headers })).status, 200);

  // The workers do not outlive a parent that is killed: the port is free again.
  await pipeline.end('SIGKILL');
  await eventually('no worker is left', async () => {
    const isRefused = await fetch(viewersUrl, { headers }).then(
      () => false,
      () => true,
    );
    return isRefused && viewers.every((viewer) => viewer.readyState === WebSocket.CLOSED);
  });

  // Tokens are asked for, and tenants distinguished, on both sides of the workers.
  const issuer = await TestIssuer.create('key');
  const keys = join(pipeline.dataFolder, 'keys.json');
  writeFileSync(keys, issuer.jwks());
  Object.assign(pipeline.env, { LIVE_AUTH_JWKS: keys, LIVE_AUTH_AUDIENCE: 'logloom' });
  await pipeline.start();
  const search = `${viewersUrl}/api/search?q=service:web`;
  assert.equal((await fetch(search, { headers })).status, 401);
  const events = async (claims: Record<string, unknown>): Promise<unknown[]> => {
    const authorization = `Bearer ${await issuer.sign(claims)}`;
    const response = await fetch(search, { headers: { ...headers, authorization } });
    return ((await response.json()) as { events: unknown[] }).events;
  };
  await eventually('found again', async () => (await events({})).length === 1);
  assert.equal((await events({ logloom_filter: 'service:pay' })).length, 0);
  assert.equal((await fetch(`${search}&access_token=${await issuer.sign()}`, { headers })).status, 200);
  assert.equal((await fetch(`${viewersUrl}/live/sse`, { headers })).status, 401);
  assert.equal(await pipeline.end('SIGTERM'), 0);
});

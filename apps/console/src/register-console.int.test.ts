import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { registerConsole } from './index.ts';

let app: FastifyInstance;
let origin: string;

before(async () => {
  app = Fastify();
  app.get('/api/status', () => ({ ok: true }));
  await registerConsole(app);
  origin = await app.listen({ host: '127.0.0.1', port: 0 });
});
after(() => app.close());

test('the page is served at / with headers that allow only this origin', async () => {
  const response = await fetch(`${origin}/`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  assert.equal(response.headers.get('cache-control'), 'no-cache');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.match(await response.text(), /<title>Logloom<\/title>/);
});

test('an unchanged file is answered with 304', async () => {
  const first = await fetch(`${origin}/style.css`);
  assert.match(first.headers.get('content-type') ?? '', /^text\/css/);
  const etag = first.headers.get('etag');
  assert.ok(etag);
  await first.arrayBuffer();
  // As a browser asks; by itself fetch adds no-cache, which forbids a 304.
  const headers = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
  const second = await fetch(`${origin}/style.css`, { headers });
  assert.equal(second.status, 304);
});

test('every module that the page imports is served as JavaScript', async () => {
  const seen = new Set<string>();
  const queue = ['/main.js'];
  for (const path of queue) {
    if (seen.has(path)) continue;
    seen.add(path);
    const response = await fetch(origin + path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get('content-type') ?? '', /javascript/, path);
    const source = await response.text();
    for (const [, name] of source.matchAll(/from '(\.\/[\w/-]+\.js)'/g))
      queue.push(new URL(name!, origin + path).pathname);
  }
  const modules = readdirSync(join(import.meta.dirname, 'page')).filter((name) => name.endsWith('.js'));
  const sdk = readdirSync(join(import.meta.dirname, '../../../clients/viewer/src')).filter((name) =>
    name.endsWith('.js'),
  );
  const served = [...modules.map((name) => `/${name}`), ...sdk.map((name) => `/viewer/src/${name}`)];
  assert.deepEqual([...seen].sort(), served.sort(), 'no module is unused');
});

test('of the SDK only what a page needs is served', async () => {
  for (const path of ['/viewer/package.json', '/viewer/src/live-client.int.test.ts', '/viewer/src/']) {
    const response = await fetch(origin + path);
    assert.equal(response.status, 404, path);
    await response.arrayBuffer();
  }
});

test('the rest of the port stays the caller’s', async () => {
  const status = await fetch(`${origin}/api/status`);
  assert.deepEqual(await status.json(), { ok: true });
  const unknown = await fetch(`${origin}/api/unknown`);
  assert.equal(unknown.status, 404);
  await unknown.arrayBuffer();
});

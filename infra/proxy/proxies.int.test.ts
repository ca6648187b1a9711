import { documentedRoutes } from '@logloom/runtime/testing/contract';
import { eventually, freePort } from '@logloom/testing';
import { LiveClient } from '@logloom/viewer';
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { ingestHost, resolveExampleNames, viewersHost } from './testing/example-names.ts';
import { whyMissing, type ProxyKind } from './testing/proxy-kind.ts';
import { proxyKinds } from './testing/proxy-kinds.ts';
import { ProxyServer } from './testing/proxy-server.ts';

/** Only operators inside reach these. */
const inside = /^\/(?:metrics$|admin\/)/;

interface Urls {
  viewers: string;
  ingest: string;
}

let pipeline: Pipeline;
let names: Disposable;

before(async () => {
  names = resolveExampleNames();
  pipeline = await Pipeline.create({
    ALLOWED_HOSTS: `${viewersHost},${ingestHost}`,
    LIVE_TRUSTED_PROXIES: 'loopback',
  });
  await pipeline.start();
});

after(async () => {
  names[Symbol.dispose]();
  await pipeline[Symbol.asyncDispose]();
});

for (const kind of proxyKinds) {
  const skip = whyMissing(kind) ?? false;
  test(
    `${kind.name}: the example passes every endpoint over TLS and loses nothing during a reload`,
    { skip },
    async (t) => {
      await using proxy = await ProxyServer.start(kind, await freePort(), pipeline);
      tls.setDefaultCACertificates([...tls.getCACertificates('bundled'), proxy.ca]);
      const urls: Urls = {
        viewers: `https://${viewersHost}:${proxy.port}`,
        ingest: `https://${ingestHost}:${proxy.port}`,
      };
      await t.test('each documented route responds as it does without a proxy', () =>
        compareRoutes(kind, urls),
      );
      await t.test("operators' paths are refused however they are written", () => spellPaths(proxy));
      await t.test('pages of its own origin may connect, others may not', () => connectFromPages(urls));
      await t.test('every transport gets events as they come, also during a reload', (t) =>
        watchDuringReload(t, proxy, urls, `behind-${kind.name}`),
      );
    },
  );

  if (kind.acceptProxyProtocol !== undefined)
    test(
      `${kind.name}: the example takes viewers' addresses from the PROXY protocol, and from nothing else`,
      { skip },
      async () => {
        const clientAddress = '203.0.113.7';
        const options = { edit: kind.acceptProxyProtocol!, clientAddress };
        await using proxy = await ProxyServer.start(kind, await freePort(), pipeline, options);
        const stream = await proxy.get('/live/sse?from=now', { 'x-forwarded-for': '198.51.100.1' });
        const { viewers } = await pipeline.get<{ viewers: { address: string }[] }>('/api/viewers');
        stream.destroy();
        assert.ok(
          viewers.some(({ address }) => address === clientAddress),
          JSON.stringify(viewers),
        );
      },
    );
}

async function compareRoutes({ refusal }: ProxyKind, urls: Urls): Promise<void> {
  const compare = async (method: string, path: string, direct: string, behind: string): Promise<void> => {
    const response = await send(behind + path, method);
    if (behind === urls.viewers && inside.test(path)) assert.equal(response.status, refusal, path);
    else assert.deepEqual([method, path, response], [method, path, await send(direct + path, method)]);
  };
  const comparisons: Promise<void>[] = [];
  for (const { path: pattern, method, item, operation } of documentedRoutes()) {
    const path = pattern.replaceAll(/\{\w+\}/g, 'x');
    // The live endpoints are used below: a response that never ends cannot be compared.
    if (path.startsWith('/live')) continue;
    const servers = operation.servers ?? item.servers ?? [{ url: ':4380' }];
    if (servers.some(({ url }) => url.endsWith(':4318')))
      comparisons.push(compare(method, path, pipeline.ingestUrl, urls.ingest));
    if (servers.some(({ url }) => url.endsWith(':4380')))
      comparisons.push(compare(method, path, pipeline.viewersUrl, urls.viewers));
  }
  assert.ok(comparisons.length > 60);
  await Promise.all(comparisons);
}

/** A proxy and Logloom must agree on what the same path is. */
async function spellPaths(proxy: ProxyServer): Promise<void> {
  for (const path of [
    '/metrics',
    '/metrics?x',
    '//metrics',
    '/%6detrics',
    '/./metrics',
    '/live/../metrics',
    '/live/%2e%2e/metrics',
    '/live/..%2fmetrics',
    '/metrics/',
    '/metrics;x',
    '/admin/drain',
    '//admin/drain',
    '/%61dmin/drain',
    '/admin%2fdrain',
    '/live/../admin/drain',
    '/live/..%2fadmin/drain',
  ]) {
    const response = await proxy.get(path);
    const body = await text(response);
    // A GET of /admin/drain that came through is 405.
    assert.ok(
      [301, 307, 308, 400, 403, 404].includes(response.statusCode!),
      `${path}: ${response.statusCode}`,
    );
    assert.doesNotMatch(body, /# HELP|method-not-allowed/, path);
  }
}

async function send(url: string, method: string): Promise<{ status: number; type: string | null }> {
  const response = await fetch(url, { method: method.toUpperCase(), redirect: 'manual' });
  await response.body?.cancel();
  return { status: response.status, type: response.headers.get('content-type') };
}

async function connectFromPages({ viewers }: Urls): Promise<void> {
  const connect = (origin: string): Promise<Response> =>
    fetch(`${viewers}/live/sse?from=now`, { headers: { origin } });
  const own = await connect(viewers);
  assert.equal(own.status, 200);
  await own.body!.cancel();
  assert.equal((await connect('https://evil.example.com')).status, 403);
  assert.match((await fetch(viewers)).headers.get('strict-transport-security')!, /^max-age=\d+$/);
}

async function watchDuringReload(
  t: TestContext,
  proxy: ProxyServer,
  urls: Urls,
  service: string,
): Promise<void> {
  const seen = new Map<number, number>();
  const subscribed = Promise.withResolvers<void>();
  const client = new LiveClient({ url: `${urls.viewers.replace('https', 'wss')}/live` });
  t.after(() => client.close());
  client.subscribe(
    { filter: `service:${service}`, stream: 'events', from: 'now' },
    {
      onSubscribed: () => subscribed.resolve(),
      onItems: (items) => {
        for (const { attributes } of items as { attributes: { n: number } }[])
          seen.set(attributes.n, (seen.get(attributes.n) ?? 0) + 1);
      },
    },
  );
  client.connect();
  await subscribed.promise;
  const query = `filter=service:${service}&from=now`;
  const polled = fetch(`${urls.viewers}/live/poll?${query}&wait=30000`);
  const streamed = await fetch(`${urls.viewers}/live/sse?${query}`);
  // The poll has to be waiting before the first event.
  await sleep(500);
  let sent = 0;
  let isReloading = true;
  let reloaded: Promise<void> | undefined;
  for (let left = 60; left > 0 || isReloading; left--) {
    const n = sent++;
    if (n === 30) {
      await isOnStream(streamed, '"n":0');
      assert.match(await (await polled).text(), /"message":"event 0"/);
      reloaded = proxy.reload().finally(() => (isReloading = false));
    }
    const response = await fetch(`${urls.ingest}/ingest`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ service, message: `event ${n}`, n }),
    });
    const { accepted } = (await response.json()) as { accepted: number };
    assert.deepEqual([response.status, accepted], [200, 1]);
    await sleep(10);
  }
  await reloaded;
  await eventually('every event at the viewer', () => seen.size === sent);
  assert.deepEqual([...new Set(seen.values())], [1]);
  assert.deepEqual(await (await fetch(`${urls.viewers}/live/durable`)).json(), { durable: [] });
}

/** Reads until the text has come; ends the connection then. */
async function isOnStream({ body }: Response, text: string): Promise<void> {
  let read = '';
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    read += chunk;
    if (read.includes(text)) return;
  }
  assert.fail(`the stream ended without ${text}: ${read}`);
}

import { documentedRoutes } from '@logloom/runtime/testing/contract';
import { eventually, freePort } from '@logloom/testing';
import { LiveClient } from '@logloom/viewer';
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { proxyKinds, ProxyServer, whyMissing } from './testing/proxy-server.ts';

const viewersHost = 'logs.example.com';
const ingestHost = 'ingest.example.com';
/** Only operators inside reach these. */
const inside = /^\/(?:metrics$|admin\/)/;

interface Urls {
  viewers: string;
  ingest: string;
}

let pipeline: Pipeline;
const { lookup } = dns;

before(async () => {
  // The examples' names are those of this machine.
  dns.lookup = ((name: string, ...rest: unknown[]): void => {
    Reflect.apply(lookup, dns, [name.endsWith('.example.com') ? '127.0.0.1' : name, ...rest]);
  }) as typeof dns.lookup;
  pipeline = await Pipeline.create({
    ALLOWED_HOSTS: `${viewersHost},${ingestHost}`,
    LIVE_TRUSTED_PROXIES: 'loopback',
  });
  await pipeline.start();
});

after(async () => {
  dns.lookup = lookup;
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
      await t.test('each documented route responds as it does without a proxy', () => compareRoutes(urls));
      await t.test('pages of its own origin may connect, others may not', () => connectFromPages(urls));
      await t.test('every transport gets events as they come, also during a reload', (t) =>
        watchDuringReload(t, proxy, urls, `behind-${kind.name}`),
      );
    },
  );
}

async function compareRoutes(urls: Urls): Promise<void> {
  const compare = async (method: string, path: string, direct: string, behind: string): Promise<void> => {
    const response = await send(behind + path, method);
    if (behind === urls.viewers && inside.test(path)) assert.equal(response.status, 403, path);
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
  const count = 60;
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
  for (let n = 0; n < count; n++) {
    if (n === 30) {
      await isOnStream(streamed, '"n":0');
      assert.match(await (await polled).text(), /"message":"event 0"/);
      proxy.reload();
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
  await eventually('every event at the viewer', () => seen.size === count);
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

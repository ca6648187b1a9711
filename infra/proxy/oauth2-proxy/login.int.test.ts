import { TestIssuer } from '@logloom/auth/test-issuer';
import { eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { Pipeline } from '../../../tests/pipeline/pipeline.ts';
import { whyNoBrowser, withBrowser } from '../../../tests/pipeline/with-browser.ts';
import { ingestHost, resolveExampleNames, viewersHost } from '../testing/example-names.ts';
import { whyMissing } from '../testing/proxy-kind.ts';
import { nginx } from '../testing/proxy-kinds.ts';
import { ProxyServer } from '../testing/proxy-server.ts';
import { IdentityProvider } from './testing/identity-provider.ts';
import { LoginProxy } from './testing/login-proxy.ts';

const skip =
  whyMissing({ name: 'oauth2-proxy', from: { go: 'oauth2-proxy' } }) ??
  whyMissing(nginx) ??
  whyNoBrowser ??
  false;

const key = randomBytes(32).toString('base64url');
const clientSecret = 'secret';
const tokenSeconds = 8;

let cleanUp: AsyncDisposableStack;
let provider: IdentityProvider;
let pipeline: Pipeline;
let upstreams: { viewersUrl: string; ingestUrl: string };
let viewersUrl: string;
let ingestUrl: string;

before(async () => {
  if (skip !== false) return;
  await using starting = new AsyncDisposableStack();
  starting.use(resolveExampleNames());
  const [port, loginPort] = [await freePort(), await freePort()];
  viewersUrl = `https://${viewersHost}:${port}`;
  ingestUrl = `https://${ingestHost}:${port}`;
  const client = { clientSecret, redirectUri: `${viewersUrl}/oauth2/callback` };
  const user = { email: 'alice@example.com', tokenSeconds };
  provider = starting.use(await IdentityProvider.start({ clientId: 'logloom', ...client, ...user }));
  const keys = join(starting.use(temporaryFolder('keys')).path, 'keys.yaml');
  const sha256 = createHash('sha256').update(key).digest('hex');
  writeFileSync(keys, JSON.stringify({ keys: [{ name: 'shop', sha256 }] }));
  pipeline = starting.use(
    await Pipeline.create({
      ALLOWED_HOSTS: `${viewersHost},${ingestHost}`,
      LIVE_TRUSTED_PROXIES: 'loopback',
      LIVE_AUTH_JWKS: `${provider.issuer}keys`,
      LIVE_AUTH_ISSUER: provider.issuer,
      LIVE_AUTH_AUDIENCE: 'logloom',
      INGEST_KEYS: keys,
    }),
  );
  await pipeline.start();
  starting.use(
    await LoginProxy.start({
      port: loginPort,
      viewersUrl: pipeline.viewersUrl,
      issuer: provider.issuer,
      refreshSeconds: tokenSeconds / 2,
      ...client,
    }),
  );
  upstreams = { viewersUrl: `http://127.0.0.1:${loginPort}`, ingestUrl: pipeline.ingestUrl };
  const proxy = starting.use(await ProxyServer.start(nginx, port, upstreams, { edit }));
  tls.setDefaultCACertificates([...tls.getCACertificates('bundled'), proxy.ca]);
  cleanUp = starting.move();
});

after(() => cleanUp?.disposeAsync());

/** The lines of the example that oauth2-proxy needs. */
function edit(text: string): string {
  return text.replaceAll(/# (?=proxy_buffer)/g, '');
}

async function get(path: string, token?: string): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(viewersUrl + path, { headers, redirect: 'manual' });
}

async function send(message: string): Promise<void> {
  const response = await fetch(`${ingestUrl}/ingest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ service: 'shop', level: 'error', message }),
  });
  assert.equal(response.status, 200);
}

test('a person without a login is sent to the provider, a program gets 401', { skip }, async () => {
  const page = await get('/');
  assert.equal(page.status, 302);
  assert.ok(page.headers.get('location')!.startsWith(`${provider.issuer}authorize?`));
  for (const path of ['/api/status', '/live/poll', '/live/sse'])
    assert.equal((await get(path)).status, 401, path);
  assert.equal((await get('/metrics')).status, 403);
});

test(
  'programs need no login: with a token of the provider, or as senders with their key',
  { skip },
  async () => {
    const token = await provider.sign({}, 60);
    assert.equal((await get('/api/status', token)).status, 200);
    const stream = await get('/live/sse?from=now', token);
    assert.equal(stream.status, 200);
    await stream.body!.cancel();
    const other = await TestIssuer.create('other');
    assert.equal((await get('/api/status', await other.sign({ iss: provider.issuer }))).status, 401);
    assert.equal((await get('/api/status', await provider.sign({ aud: 'another' }, 60))).status, 401);
    assert.equal((await get('/health/ready')).status, 200);
    await send('from a sender');
    assert.equal((await fetch(`${ingestUrl}/ingest`, { method: 'POST', body: '{}' })).status, 401);
  },
);

test("Logloom sees a viewer's own address through both proxies", { skip }, async () => {
  const clientAddress = '203.0.113.7';
  const options = { edit: nginx.acceptProxyProtocol!, clientAddress };
  await using proxy = await ProxyServer.start(nginx, await freePort(), upstreams, options);
  const authorization = `Bearer ${await provider.sign({}, 60)}`;
  const stream = await proxy.get('/live/sse?from=now', { authorization });
  const response = await fetch(`${pipeline.viewersUrl}/api/viewers`, { headers: { authorization } });
  const { viewers } = (await response.json()) as { viewers: { address: string }[] };
  stream.destroy();
  assert.ok(
    viewers.some(({ address }) => address === clientAddress),
    JSON.stringify(viewers),
  );
});

test(
  'after a login the page shows events, and goes on doing so when its token expires',
  { skip },
  async () => {
    await withBrowser(async (context) => {
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const sockets: string[] = [];
      page.on('websocket', (socket) => sockets.push(socket.url()));
      await page.goto(viewersUrl);
      assert.equal(page.url().replace(/#.*/, ''), `${viewersUrl}/`);
      const shows = (message: string): Promise<void> =>
        eventually(`${message} in the page`, async () => {
          await send(message);
          return (await page.getByTestId('event-row').filter({ hasText: message }).count()) > 0;
        });
      await shows('after the login');
      assert.equal(sockets[0], `${viewersUrl.replace('https', 'wss')}/live`);
      assert.ok((await context.cookies()).every(({ secure, httpOnly }) => secure && httpOnly));

      await eventually('a new connection', () => sockets.length > 1);
      await shows('with the next token');
      assert.ok(provider.refreshes > 0);
      assert.equal(await page.getByTestId('token-dialog').count(), 0);

      await context.clearCookies();
      // The page notices when its connection ends with the token.
      await page.getByTestId('login-dialog').getByRole('button').click();
      await shows('after the second login');
      assert.equal(await page.getByTestId('token-dialog').count(), 0);
    }, 'MAP *.example.com 127.0.0.1');
  },
);

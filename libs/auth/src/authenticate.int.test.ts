import { parseSettings } from './settings.ts';
import { eventually, temporaryFolder } from '@logloom/testing';
import { SignJWT } from 'jose';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openAuthenticate } from './authenticate.ts';
import type { Access, Authenticate } from './principal.ts';
import { TestIssuer } from './testing/test-issuer.ts';

const folder = temporaryFolder('auth').path;
after(() => rmSync(folder, { recursive: true }));
const issuer = await TestIssuer.create('first', 'second');

async function open(jwks: string, settings: Record<string, string> = {}): Promise<Authenticate> {
  return openAuthenticate(parseSettings({ LIVE_AUTH_JWKS: jwks, ...settings }));
}

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function bearer(token: string): Parameters<Authenticate>[0] {
  return { url: '/', headers: { authorization: `Bearer ${token}` } };
}

function codeOf(access: Access): string {
  return access.ok ? 'ok' : access.error.code;
}

test('a token may stand in the header, among the subprotocols or in the query', async () => {
  const authenticate = await open(fileOf('places.json', issuer.jwks()));
  const token = await issuer.sign({ logloom_filter: 'service:pay' });
  const requests: Parameters<Authenticate>[0][] = [
    bearer(token),
    { url: '/live', headers: { 'sec-websocket-protocol': `logloom.v1, bearer.${token}` } },
    { url: `/live/sse?filter=a&access_token=${token}`, headers: {} },
    // Somebody else's header, such as a proxy's own.
    { url: `/?access_token=${token}`, headers: { authorization: 'Basic YTpi' } },
  ];
  for (const request of requests) {
    const access = await authenticate(request);
    assert.ok(access.ok, JSON.stringify(access));
    assert.equal(access.principal.filter?.canonical, 'service:"pay"');
  }
  assert.equal(codeOf(await authenticate({ url: '/live', headers: {} })), 'unauthorized');
});

test('only what a known key has signed, for us and in time, is valid', async () => {
  const authenticate = await open(fileOf('valid.json', issuer.jwks('first')), {
    LIVE_AUTH_ISSUER: 'https://login.test',
    LIVE_AUTH_AUDIENCE: 'logloom',
  });
  const code = async (token: string | Promise<string>) => codeOf(await authenticate(bearer(await token)));
  assert.equal(await code(issuer.sign()), 'ok');
  assert.equal(await code(issuer.sign({}, { seconds: -60 })), 'token-expired');
  assert.equal(await code(issuer.sign({}, { keyId: 'second' })), 'unauthorized');
  assert.equal(await code(issuer.sign({ iss: 'https://evil.test' })), 'unauthorized');
  assert.equal(await code(issuer.sign({ aud: 'another' })), 'unauthorized');
  assert.equal(await code(issuer.sign({ exp: undefined })), 'unauthorized', 'one that never expires');
  const good = await issuer.sign();
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const other = Buffer.from(JSON.stringify({ ...decode(payload), logloom_filter: '*' })).toString(
    'base64url',
  );
  assert.equal(await code(`${header}.${other}.${signature}`), 'unauthorized', 'a changed payload');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  assert.equal(await code(`${none}.${payload}.`), 'unauthorized', 'no signature');
  // The public key as if it were a shared secret.
  const secret = new TextEncoder().encode(issuer.jwks('first'));
  const forged = new SignJWT(decode(payload)).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret);
  assert.equal(await code(forged), 'unauthorized', 'another kind of algorithm');
  assert.equal(await code('gibberish'), 'unauthorized');
});

test('a claim that is no filter is refused', async () => {
  const jwks = fileOf('claims.json', issuer.jwks());
  const authenticate = await open(jwks, { LIVE_AUTH_FILTER_CLAIM: 'https://logs.test/filter' });
  const code = async (claim: unknown, by = authenticate) =>
    codeOf(await by(bearer(await issuer.sign({ 'https://logs.test/filter': claim }))));
  for (const claim of ['', ' ', 'level:(', 7, null, ['service:a'], {}, false])
    assert.equal(await code(claim), 'forbidden', JSON.stringify(claim));
  assert.equal(await code(undefined), 'ok', 'no claim');
  const strict = await open(jwks, {
    LIVE_AUTH_FILTER_CLAIM: 'https://logs.test/filter',
    LIVE_AUTH_REQUIRE_FILTER: 'true',
  });
  assert.equal(await code(undefined, strict), 'forbidden');
  assert.equal(await code('*', strict), 'ok', 'everything, said aloud');
});

test('keys in a file are rotated: the new one works, the old one works until it is taken out', async () => {
  const file = fileOf('rotated.json', issuer.jwks('first'));
  utimesSync(file, 1, 1);
  const authenticate = await open(file);
  const code = async (keyId: string) => codeOf(await authenticate(bearer(await issuer.sign({}, { keyId }))));
  assert.deepEqual([await code('first'), await code('second')], ['ok', 'unauthorized']);
  writeFileSync(file, issuer.jwks('first', 'second'));
  await eventually('the second key is known', async () => (await code('second')) === 'ok');
  assert.equal(await code('first'), 'ok');
  writeFileSync(file, issuer.jwks('second'));
  await eventually('the first key is gone', async () => (await code('first')) === 'unauthorized');
  assert.equal(await code('second'), 'ok');
  writeFileSync(file, '{');
  await eventually('unreadable keys are refused', async () => (await code('second')) === 'auth-unavailable');
  writeFileSync(file, issuer.jwks('second'));
  await eventually('they are read again', async () => (await code('second')) === 'ok');
});

test('keys at a URL are fetched again for a key that is not known', async () => {
  let body = issuer.jwks('first');
  let status = 200;
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const authenticate = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
    const code = async (keyId: string) =>
      codeOf(await authenticate(bearer(await issuer.sign({}, { keyId }))));
    status = 500;
    assert.equal(await code('first'), 'auth-unavailable');
    status = 200;
    await eventually('the keys are fetched again', async () => (await code('first')) === 'ok');
    assert.equal(await code('second'), 'unauthorized');
    body = issuer.jwks('second');
    await eventually('the second key is known', async () => (await code('second')) === 'ok');
    assert.equal(await code('first'), 'unauthorized', 'the set has changed as a whole');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('while the server of the keys fails, tokens of unauthenticated clients cause one request to it, and known keys continue', async () => {
  let asked = 0;
  let isFailing = true;
  const server = createServer((_, response) => {
    asked++;
    if (isFailing) response.statusCode = 503;
    response.end(isFailing ? 'not now' : issuer.jwks('first'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const authenticate = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const unknown = await TestIssuer.create('unknown');
  const strange = bearer(await unknown.sign());
  for (let i = 0; i < 50; i++) assert.equal(codeOf(await authenticate(strange)), 'auth-unavailable');
  const together = await Promise.all(Array.from({ length: 50 }, () => authenticate(strange)));
  assert.deepEqual([...new Set(together.map(codeOf))], ['auth-unavailable']);
  assert.equal(asked, 1);

  isFailing = false;
  const known = bearer(await issuer.sign());
  await eventually('the keys are fetched again', async () => codeOf(await authenticate(known)) === 'ok');
  assert.equal(asked, 2);
  isFailing = true;
  await eventually('an unknown key has the keys fetched', async () => {
    await authenticate(strange);
    return asked > 2;
  });
  for (let i = 0; i < 50; i++) {
    assert.equal(codeOf(await authenticate(strange)), 'auth-unavailable');
    assert.equal(codeOf(await authenticate(known)), 'ok');
  }
  assert.equal(asked, 3);
  server.closeAllConnections();
  server.close();
});

test('a file that cannot be read stops the start', async () => {
  await assert.rejects(open(join(folder, 'nowhere.json')), { code: 'bad-settings' });
  await assert.rejects(open(fileOf('broken.json', '{"keys":')), { code: 'bad-settings' });
});

function decode(payload: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}

import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { RequestGuard, type RequestGuardOptions } from './index.ts';

function guardOf(options: Partial<RequestGuardOptions> = {}): RequestGuard {
  return new RequestGuard({ host: '127.0.0.1', allowedHosts: [], allowedOrigins: [], ...options });
}

function asked(guard: RequestGuard, headers: Record<string, string>, url = '/api/search', method = 'GET') {
  return guard.refusal({ method, url, headers });
}

test('on loopback a server goes by loopback names only, so that no page can have its name pointed at it', () => {
  const host = (name: string, guard = guardOf()) => asked(guard, { host: name });
  for (const name of ['localhost', 'LOCALHOST:4380', 'localhost.', '127.0.0.1', '127.8.9.1:1', '[::1]:4380'])
    assert.equal(host(name), undefined, name);
  for (const name of [
    'evil.example',
    'evil.example:4380',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.1.2.3',
    ...[
      '0.0.0.0:4380',
      '[fe80::1]',
      '[::ffff:10.1.2.3]',
      '',
      'a b',
      'localhost:x',
      'localhost@evil.example',
      '[::1',
    ],
    '127.1',
    '2130706433',
    '0x7f.1',
  ])
    assert.equal(host(name), 'bad-host', name);
  assert.equal(asked(guardOf(), {}), undefined, 'no browser leaves Host out');
  const named = guardOf({ allowedHosts: ['logs.example.com', '*.apps.example'] });
  assert.equal(host('logs.example.com:443', named), undefined);
  assert.equal(host('Logs.Example.Com', named), undefined);
  assert.equal(host('a.b.apps.example', named), undefined);
  assert.equal(host('apps.example', named), 'bad-host');
  assert.equal(host('logs.example.com.evil.example', named), 'bad-host');
  assert.equal(host('evil.example', guardOf({ allowedHosts: ['*'] })), undefined);
});

test('elsewhere it also goes by addresses, which cannot be pointed elsewhere, and by its own name', () => {
  const guard = guardOf({ host: '0.0.0.0' });
  for (const name of ['10.1.2.3:4380', '[fd00::1]:4380', 'localhost', '192.168.1.5', hostname()])
    assert.equal(asked(guard, { host: name }), undefined, name);
  assert.equal(asked(guard, { host: 'evil.example' }), 'bad-host');
  assert.equal(asked(guardOf({ host: 'logs.lan' }), { host: 'logs.lan:4380' }), undefined);
});

test('pages of other origins are refused, whatever they send, unless they are allowed', () => {
  const host = '127.0.0.1:4380';
  for (const [headers, expected] of [
    [{ origin: 'http://127.0.0.1:4380' }, undefined],
    [{ origin: 'http://localhost:5173', 'sec-fetch-site': 'cross-site' }, undefined],
    [{ origin: 'https://evil.example' }, 'bad-origin'],
    [{ origin: 'null' }, 'bad-origin'],
    [{ origin: 'https://logs.example.com', 'sec-fetch-site': 'cross-site' }, 'bad-origin'],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 'bad-origin'],
    [{ 'sec-fetch-site': 'cross-site' }, 'bad-origin'],
    [{ 'sec-fetch-site': 'same-origin' }, undefined],
    [{ 'sec-fetch-site': 'none' }, undefined],
  ] as const)
    for (const method of ['GET', 'POST'])
      assert.equal(
        asked(guardOf(), { host, ...headers }, '/ingest', method),
        expected,
        JSON.stringify(headers),
      );
  const visit = {
    host,
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  };
  assert.equal(asked(guardOf(), visit, '/'), undefined, 'a link to the page');
  assert.equal(asked(guardOf(), visit, '/ingest', 'POST'), 'bad-origin', 'a form');
  assert.equal(asked(guardOf(), { ...visit, 'sec-fetch-dest': 'iframe' }, '/'), 'bad-origin');
  const allowing = guardOf({ allowedOrigins: ['https://logs.example.com'] });
  const origin = 'https://logs.example.com';
  assert.equal(asked(allowing, { host, origin, 'sec-fetch-site': 'cross-site' }), undefined);
  assert.equal(
    asked(allowing, { host: 'logs.example.com', origin }),
    'bad-host',
    'a name is asked for first',
  );
});

test('what asks whether a service lives may call it by any name', () => {
  for (const path of ['/health/live', '/health/ready', '/health/ready?x=1', '/ready'])
    assert.equal(asked(guardOf(), { host: 'evil.example', origin: 'https://evil.example' }, path), undefined);
  assert.equal(asked(guardOf(), { host: 'evil.example' }, '/metrics'), 'bad-host');
});

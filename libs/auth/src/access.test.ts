import { parseFilter, type Filter } from '@logloom/filter';
import { parseSettings } from './settings.ts';
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { checkExposure, checkIngestExposure, clientAddress, mayHaveVisibleMembers } from './index.ts';

function parsed(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

test('viewers without tokens are served on loopback, or where somebody said so', () => {
  const check = (settings: Record<string, string>) => () => checkExposure(parseSettings(settings));
  for (const HOST of ['127.0.0.1', '127.8.0.1', 'localhost', '::1'])
    assert.doesNotThrow(check({ HOST }), HOST);
  for (const HOST of ['0.0.0.0', '::', '10.1.2.3', 'logs.example.com', '127.example.com']) {
    assert.throws(check({ HOST }), { code: 'bad-settings' }, HOST);
    assert.doesNotThrow(check({ HOST, LIVE_ALLOW_NO_AUTH: 'true' }));
    assert.doesNotThrow(check({ HOST, LIVE_AUTH_JWKS: 'keys.json' }));
  }
});

test('events without keys are taken on loopback, or where somebody said so', () => {
  const check = (settings: Record<string, string>) => () => checkIngestExposure(parseSettings(settings));
  assert.doesNotThrow(check({}));
  assert.throws(check({ HOST: '0.0.0.0', LIVE_ALLOW_NO_AUTH: 'true' }), { code: 'bad-settings' });
  assert.doesNotThrow(check({ HOST: '0.0.0.0', INGEST_ALLOW_NO_AUTH: 'true' }));
  assert.doesNotThrow(check({ HOST: '0.0.0.0', INGEST_KEYS: 'keys.yaml' }));
});

test('a document tells of some filters that no member can match', () => {
  const may = (text: string, services: string[], levels: Record<string, number>) =>
    mayHaveVisibleMembers(parsed(text))({ services, levels, correlationId: 'r1' });
  assert.equal(may('service:pay', ['pay'], { info: 2 }), true);
  assert.equal(may('service:pay', ['pay', 'web'], { info: 2 }), true);
  assert.equal(may('service:pay', ['web'], { info: 2 }), false);
  assert.equal(may('service:pay*', ['web', 'pay-b'], { info: 1, error: 1 }), true);
  assert.equal(may('NOT level:debug', ['web'], { debug: 1 }), false);
  // Which of them has the error, the document does not say.
  assert.equal(may('service:pay AND level:error', ['pay', 'web'], { info: 1, error: 1 }), true);
  assert.equal(may('service:pay AND level:error', ['pay', 'web'], { info: 1, warn: 1 }), false);
  assert.equal(may('correlationId:r2', ['web'], { info: 1 }), false);
  assert.equal(may('attributes.tenant:a', ['web'], { info: 1 }), true);
  assert.equal(may('service:pay AND attributes.tenant:a', ['web'], { info: 1 }), false);
});

test('the address is that of the connection, or what a trusted proxy says', () => {
  const request = (remoteAddress: string, forwarded?: string) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;
  const alone = clientAddress([]);
  assert.equal(alone(request('203.0.113.9', '198.51.100.1')), '203.0.113.9');
  const behind = clientAddress(['loopback', '10.0.0.0/8']);
  assert.equal(behind(request('127.0.0.1', '198.51.100.1')), '198.51.100.1');
  assert.equal(behind(request('127.0.0.1', '6.6.6.6, 198.51.100.1, 10.2.2.2')), '198.51.100.1');
  assert.equal(behind(request('203.0.113.9', '198.51.100.1')), '203.0.113.9');
});

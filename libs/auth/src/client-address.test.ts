import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { isLoopback } from './check-exposure.ts';
import { clientAddress } from './client-address.ts';

function request(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

test('no address that a proxy or its client claims is loopback, which limits spare; that of the connection itself is', () => {
  const addressOf = clientAddress(['loopback', 'uniquelocal']);
  for (const claim of [
    '127.0.0.1',
    '::1',
    'localhost',
    '::ffff:127.0.0.1',
    '127.8.9.10, 10.1.2.3',
    '127.0.0.1, ::1',
  ])
    for (const proxy of ['10.0.0.7', '127.0.0.1']) {
      const address = addressOf(request(proxy, claim));
      assert.equal(isLoopback(address!), false, `${claim} by ${proxy} is ${address}`);
    }
  assert.equal(addressOf(request('10.0.0.7', '127.0.0.1, 203.0.113.9')), '203.0.113.9');
  assert.equal(addressOf(request('127.0.0.1')), '127.0.0.1');
  // Not a proxy: what it writes counts for nothing.
  assert.equal(clientAddress(['10.0.0.7'])(request('127.0.0.1', '203.0.113.9')), '127.0.0.1');
  assert.equal(clientAddress(['10.0.0.7'])(request('203.0.113.9', '127.0.0.1')), '203.0.113.9');
});

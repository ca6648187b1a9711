import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import fastify from 'fastify';
import {
  contextFromHeaders,
  currentContext,
  expressContext,
  fastifyContext,
  mixin,
  outgoingHeaders,
} from './index.js';

/** What a handler sees of its context after waiting, as its own logger would. */
async function handle(): Promise<object> {
  await sleep(Math.random() * 5);
  return { context: currentContext(), mixin: mixin(), outgoing: outgoingHeaders() };
}

/** Many requests at once, with bodies: each handler sees its own id, before and after waiting, and the answer has it. */
async function check(url: string): Promise<void> {
  await Promise.all(
    Array.from({ length: 30 }, async (_, n) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-correlation-id': `request-${n}` },
        body: JSON.stringify({ padding: 'x'.repeat(n * 5000) }),
      });
      const context = { correlationId: `request-${n}` };
      assert.deepEqual(await response.json(), {
        context,
        mixin: context,
        outgoing: { 'x-correlation-id': `request-${n}` },
      });
      assert.equal(response.headers.get('x-correlation-id'), `request-${n}`);
    }),
  );
  const unnamed = await fetch(url, { method: 'POST' });
  const { context } = (await unnamed.json()) as { context: { correlationId: string } };
  assert.match(context.correlationId, /^[0-9a-f-]{36}$/);
  assert.equal(unnamed.headers.get('x-correlation-id'), context.correlationId);
}

test('Express: each request in its own context, also after its body was read', async () => {
  const app = express();
  app.use(expressContext());
  app.use(express.json({ limit: '1mb' }));
  app.post('/', async (_request, response) => void response.json(await handle()));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await check(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  server.close();
  assert.equal(currentContext(), undefined);
  assert.deepEqual([mixin(), outgoingHeaders()], [{}, {}]);
});

test('Fastify: likewise, for routes beside the plugin too, and in its other hooks', async () => {
  const app = fastify();
  await app.register(fastifyContext);
  app.addHook('preHandler', async () => assert.ok(currentContext()));
  app.addHook('onSend', async () => assert.ok(currentContext()));
  app.post('/', () => handle());
  await check(await app.listen({ host: '127.0.0.1', port: 0 }));
  await app.close();
});

test('the id is the first well-formed of x-correlation-id, x-request-id and traceparent', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
  const trace = { traceId, spanId: '00f067aa0ba902b7' };
  assert.deepEqual(contextFromHeaders({ 'x-request-id': 'r', 'x-correlation-id': 'c', traceparent }), {
    correlationId: 'c',
    ...trace,
  });
  assert.deepEqual(contextFromHeaders({ 'x-request-id': 'r', traceparent }), {
    correlationId: 'r',
    ...trace,
  });
  assert.deepEqual(contextFromHeaders({ traceparent }), { correlationId: traceId, ...trace });
  for (const strange of ['', 'a b', 'line\nbreak', 'x'.repeat(129)])
    assert.equal(contextFromHeaders({ 'x-correlation-id': strange, 'x-request-id': 'r' }).correlationId, 'r');
  for (const bad of [
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `${traceparent}x`,
  ]) {
    const { correlationId, ...rest } = contextFromHeaders({ traceparent: bad });
    assert.notEqual(correlationId, traceId);
    assert.deepEqual(rest, {});
  }
});

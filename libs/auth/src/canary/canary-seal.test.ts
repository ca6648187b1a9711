import { logEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEvent } from '@logloom/schemas';
import { openAuthenticate } from '../authenticate.ts';
import { canaryService, CanarySeal, parseCanaryMessage } from './canary-seal.ts';
import { openCanarySeal } from './open-canary-seal.ts';

const secret = 'a secret of at least 32 characters';
const seal = new CanarySeal(secret);
const mark = { run: 'ab12', receiver: 'json', round: 7, index: 1, sentAtMs: 1_700_000_000_000 };
const content = { level: 'info', host: null, attributes: '{}' } as const;

function sealedEvent(fields: Partial<LogEvent> = {}): LogEvent {
  return logEvent(0, {
    service: canaryService,
    message: seal.message(mark, content),
    timestamp: mark.sentAtMs * 1000,
    receivedAt: mark.sentAtMs + 20,
    ...fields,
  });
}

test('an event that the canary sealed has its mark', () => {
  assert.deepEqual(seal.verify(sealedEvent()), mark);
  assert.deepEqual(parseCanaryMessage(sealedEvent().message), mark);
  // Patterns of the settings may find an id in any message.
  assert.notEqual(
    seal.verify(sealedEvent({ correlationId: 'round=7', correlationKind: 'message' })),
    undefined,
  );
});

test('nothing can be hidden behind a seal that was seen: whatever is changed or added makes it an event like any other', () => {
  const { message } = sealedEvent();
  const changes: Partial<LogEvent>[] = [
    { service: 'shop' },
    { level: 'error' },
    { host: 'db-1' },
    { attributes: '{"card":"4111"}' },
    { timestamp: mark.sentAtMs * 1000 + 1 },
    { traceId: 'a'.repeat(32) },
    { spanId: 'b'.repeat(16) },
    { correlationId: 'order-1', correlationKind: 'correlationId' },
    { message: `${message} and more` },
    { message: `more ${message}` },
    { message: message.replace('index=1', 'index=0') },
    { message: message.replace('round=7', 'round=07') },
    { message: message.replace(/seal=.*/, `seal=${'0'.repeat(32)}`) },
    // A recorded event that comes later.
    { receivedAt: mark.sentAtMs + 601_000 },
    { receivedAt: mark.sentAtMs - 601_000 },
  ];
  for (const change of changes)
    assert.equal(seal.verify(sealedEvent(change)), undefined, JSON.stringify(change));
  assert.equal(new CanarySeal(`${secret}!`).verify(sealedEvent()), undefined);
});

test('the correlation id of a batch is its own, and nobody can derive it from what is sent', () => {
  const id = seal.correlationId(mark);
  assert.equal(id, seal.correlationId({ ...mark }));
  assert.notEqual(id, seal.correlationId({ ...mark, round: 8 }));
  assert.notEqual(id, new CanarySeal(`${secret}!`).correlationId(mark));
  assert.ok(!sealedEvent().message.includes(id.slice('canary-'.length)));
});

test('with a canary, its token makes a request its own, and every other request is treated as before', async () => {
  const authenticate = await openAuthenticate({
    CANARY: 'on',
    CANARY_SECRET: secret,
  } as Parameters<typeof openAuthenticate>[0]);
  const ask = (token: string) => authenticate({ headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual(await ask(seal.token), {
    ok: true,
    principal: { subject: 'canary', name: 'canary', isCanary: true },
  });
  assert.deepEqual(await ask('another'), { ok: true, principal: {} });
  assert.deepEqual(await authenticate({ headers: {} }), { ok: true, principal: {} });
});

test('a canary without a secret stops the start, and without a canary there is no seal', () => {
  assert.throws(() => openCanarySeal({ CANARY: 'on', CANARY_SECRET: undefined }), /CANARY_SECRET/);
  assert.equal(openCanarySeal({ CANARY: 'off', CANARY_SECRET: secret }), undefined);
});

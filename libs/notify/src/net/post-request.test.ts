import { freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../delivery-error.ts';
import { startHttpReceiver, status } from '../testing/http-receiver.ts';
import { AddressRules } from './address-rules.ts';
import { postRequest } from './post-request.ts';
import { retryAfterMs } from './retry-after.ts';

const rules = new AddressRules(['127.0.0.1']);
const { signal } = new AbortController();

async function failureOf(url: string): Promise<DeliveryError> {
  const error = await postRequest({ url, body: '{}' }, rules, signal).then(
    () => assert.fail('it was taken'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DeliveryError, String(error));
  return error;
}

test('what a retry can change is tried again, and no other refusal', async () => {
  await using receiver = await startHttpReceiver();
  for (const code of [408, 425, 429, 500, 502, 503, 504]) {
    receiver.answerWith(status(code));
    assert.equal((await failureOf(receiver.url)).isFinal, false, String(code));
  }
  for (const code of [301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422]) {
    receiver.answerWith(status(code, { location: receiver.url }));
    assert.equal((await failureOf(receiver.url)).isFinal, true, String(code));
  }
  receiver.answerWith(status(204));
  await postRequest({ url: receiver.url, body: '{}' }, rules, signal);
});

test('a refusal says what the server said, in one line that no terminal acts on', async () => {
  await using receiver = await startHttpReceiver(
    status(400, {}, `invalid\n\u001b[31m payload ${'x'.repeat(5_000)}`),
  );
  const { message } = await failureOf(receiver.url);
  assert.match(message, /answered 400: invalid \[31m payload x+$/);
  assert.ok(message.length < 300);
});

test('a server that is not there, or hangs up, is silent', async () => {
  const absent = await failureOf(`http://127.0.0.1:${await freePort()}`);
  assert.match(absent.message, /cannot be reached \(ECONNREFUSED\)/);
  assert.ok(absent.isRefused);
  await using receiver = await startHttpReceiver((_, response) => void response.destroy());
  const error = await failureOf(receiver.url);
  assert.ok(error.isSilent && !error.isFinal && !error.isRefused, 'it may have taken it');
});

test('Retry-After is seconds or a date, at most an hour', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(retryAfterMs('7', now), 7_000);
  assert.equal(retryAfterMs(' 0 ', now), 0);
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now), 30_000);
  assert.equal(retryAfterMs('Wed, 31 Dec 2025 00:00:30 GMT', now), 0);
  assert.equal(retryAfterMs('999999', now), 3_600_000);
  assert.equal(retryAfterMs('soon', now), undefined);
  assert.equal(retryAfterMs(undefined, now), undefined);
});

test('the time that a server asks for is in the error', async () => {
  await using receiver = await startHttpReceiver(status(429, { 'retry-after': '30' }));
  assert.equal((await failureOf(receiver.url)).retryAfterMs, 30_000);
});

test('a name is checked by the addresses that it has when the connection is made', async () => {
  await using receiver = await startHttpReceiver();
  const url = `http://localhost:${receiver.port}`;
  const none = new AddressRules([]);
  await assert.rejects(
    postRequest({ url, body: '{}' }, none, signal),
    (error) =>
      error instanceof DeliveryError && error.isFinal && /^localhost has a private/.test(error.message),
  );
  await postRequest({ url, body: '{}' }, new AddressRules(['localhost']), signal);
  assert.equal(receiver.taken.length, 1);
});

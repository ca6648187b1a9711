import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { DeliveryError } from '../delivery-error.ts';
import { AddressRules } from '../net/address-rules.ts';
import { alertState } from '../testing/alert.ts';
import { startConnectProxy } from '../testing/connect-proxy.ts';
import { startHttpReceiver } from '../testing/http-receiver.ts';
import { notificationOf } from '../testing/notification.ts';
import { alertmanagerWebhookSchema } from '../testing/vendor-schemas.ts';
import { sendWebhook } from './webhook.ts';

const { signal } = new AbortController();
const deps = { rules: new AddressRules(['127.0.0.1']), link: 'https://logloom.example.com', nowMs: Date.now };

test("a webhook gets Alertmanager's JSON, the login of its URL, and its headers", async () => {
  await using receiver = await startHttpReceiver();
  const url = `${receiver.url.replace('//', '//ada:pass%40word@')}/hook?a=b`;
  await sendWebhook({ url, headers: { 'X-Team': 'shop' } }, notificationOf(), deps, signal);
  const [taken] = receiver.taken;
  assert.deepEqual([taken?.method, taken?.path], ['POST', '/hook?a=b']);
  assert.equal(taken?.headers['content-type'], 'application/json');
  assert.equal(taken?.headers['x-team'], 'shop');
  assert.equal(taken?.headers['webhook-id'], notificationOf().id);
  assert.equal(taken?.headers.authorization, `Basic ${Buffer.from('ada:pass@word').toString('base64')}`);
  const body = alertmanagerWebhookSchema.parse(JSON.parse(taken.body));
  assert.equal(body.alerts[0]?.generatorURL, 'https://logloom.example.com/#requests?id=4bf92f351');
});

test('the signature is one that a library of Standard Webhooks accepts, and of this body alone', async () => {
  await using receiver = await startHttpReceiver();
  const secret = `whsec_${Buffer.from('a key of 24 bytes or more').toString('base64')}`;
  await sendWebhook({ url: receiver.url, secret }, notificationOf(), deps, signal);
  const { body, headers } = receiver.taken[0]!;
  const verifier = new Webhook(secret);
  verifier.verify(body, headers as Record<string, string>);
  assert.throws(() => verifier.verify(`${body} `, headers as Record<string, string>));
  const later = {
    ...(headers as Record<string, string>),
    'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1),
  };
  assert.throws(() => verifier.verify(body, later));
  const plain = { url: receiver.url, secret: 'any text' };
  await sendWebhook(plain, notificationOf(), deps, signal);
  const { body: second, headers: signed } = receiver.taken[1]!;
  new Webhook(Buffer.from('any text').toString('base64')).verify(second, signed as Record<string, string>);
});

test('a template makes the body', async () => {
  await using receiver = await startHttpReceiver();
  const body = `{"text": {{ alerts[0].annotations.summary | json }}, "n": {{ alerts.size }}{% for a in alerts %}, "{{ a.labels.service }}": true{% endfor %}}`;
  await sendWebhook(
    { url: receiver.url, method: 'PUT', body },
    notificationOf([alertState(1, { message: 'say "hi"' }), alertState(2)]),
    deps,
    signal,
  );
  assert.equal(receiver.taken[0]?.method, 'PUT');
  assert.deepEqual(JSON.parse(receiver.taken[0].body), {
    text: 'say "hi"',
    n: 2,
    'service-1': true,
    'service-2': true,
  });
});

test('a template that does not end is a refusal', async () => {
  await using receiver = await startHttpReceiver();
  const body =
    '{% for i in (1..3000) %}{% for j in (1..3000) %}{% for k in (1..3000) %}x{% endfor %}{% endfor %}{% endfor %}';
  await assert.rejects(
    sendWebhook({ url: receiver.url, body }, notificationOf(), deps, signal),
    (error) => error instanceof DeliveryError && error.isFinal && /template/.test(error.message),
  );
  assert.equal(receiver.taken.length, 0);
});

test('through a proxy, and only to hosts that are allowed', async () => {
  await using receiver = await startHttpReceiver();
  await using proxy = await startConnectProxy();
  const options = { url: receiver.url, proxy: proxy.url.replace('//', '//user:pass@') };
  await sendWebhook(options, notificationOf(), deps, signal);
  assert.deepEqual(proxy.asked, [
    { target: new URL(receiver.url).host, authorization: `Basic ${btoa('user:pass')}` },
  ]);
  assert.equal(receiver.taken.length, 1);
  const strict = { ...deps, rules: new AddressRules([]) };
  for (const refused of [options, { ...options, url: 'http://hooks.example.invalid/' }])
    await assert.rejects(
      sendWebhook(refused, notificationOf(), strict, signal),
      (error) => error instanceof DeliveryError && error.isFinal && /private, loopback/.test(error.message),
    );
  assert.equal(proxy.asked.length, 1);
});

test('no error says more of a URL than where it points', async () => {
  await using receiver = await startHttpReceiver((_, response) => response.writeHead(500).end());
  for (const url of [
    `${receiver.url.replace('//', '//ada:pass-word@')}/secret-path`,
    'http://127.0.0.1:1/secret-path',
  ])
    await assert.rejects(sendWebhook({ url }, notificationOf(), deps, signal), (error) => {
      assert.ok(error instanceof DeliveryError && !error.isFinal);
      return !/secret|pass/.test(error.message);
    });
});

test('an answer that never ends, or never comes, ends with the time limit', async () => {
  await using receiver = await startHttpReceiver((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 5);
    response.on('close', () => clearInterval(timer));
  });
  // That it was taken is all that counts.
  await sendWebhook({ url: receiver.url, timeout: '5s' }, notificationOf(), deps, signal);
  receiver.answerWith(() => {});
  await assert.rejects(
    sendWebhook({ url: receiver.url, timeout: '50ms' }, notificationOf(), deps, signal),
    (error) => error instanceof DeliveryError && error.isSilent && /within 0.05 s/.test(error.message),
  );
});

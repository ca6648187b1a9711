import assert from 'node:assert/strict';
import { test } from 'node:test';
import { senderTargets } from './sender-targets.ts';

const ingestUrls = ['http://a.example.com', 'http://b.example.com'];
const kafka = { brokers: ['k.example.com:9092'] };
const syslogUrl = 'syslog://s.example.com:5514';

test('receivers and addresses take turns, and each receiver comes to each address', () => {
  const targets = senderTargets('logloom', ['json', 'loki'], { ingestUrls });
  const pairs = new Set(targets.map(({ receiver, url }) => `${receiver} ${url}`));
  assert.equal(pairs.size, 4);
  const others = senderTargets('logloom', ['otlp', 'syslog', 'kafka'], { ingestUrls, syslogUrl, kafka });
  const addresses = new Set(others.map(({ receiver, url }) => `${receiver} ${url}`));
  assert.deepEqual(
    addresses,
    new Set([...ingestUrls.map((url) => `otlp ${url}`), `syslog ${syslogUrl}`, 'kafka ']),
  );
  assert.ok(others.every((target) => (target.receiver === 'kafka') === (target.kafka !== undefined)));
});

test('a receiver without an address, and one of a target that is no Logloom, are refused', () => {
  for (const receiver of ['syslog', 'kafka'] as const)
    assert.throws(() => senderTargets('logloom', [receiver], { ingestUrls }), { code: 'target-unavailable' });
  assert.throws(() => senderTargets('sse', ['json'], { ingestUrls }), { code: 'bad-scenario' });
});

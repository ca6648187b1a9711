import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

const hash = (key: string) => createHash('sha256').update(key).digest('hex');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const json = { 'content-type': 'application/json' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('every receiver requires a key, and holds it to its services and its quota', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'keys.yaml');
  const shop = { name: 'shop', sha256: hash('shop-key'), service: 'shop-*' };
  const slow = {
    name: 'slow',
    sha256: hash('slow-key'),
    // One a second at most, so that no test machine is slow enough to have paid it off.
    quota: { eventsPerSecond: 1 },
  };
  const write = (keys: unknown[]) => writeFileSync(file, JSON.stringify({ keys }));
  write([shop, slow]);
  await using service = await startForTest(folder.path, { INGEST_KEYS: file });
  const send = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(service.address + path, { method: 'POST', body, headers: { ...json, ...headers } });
  const line = '{"message":"a","service":"shop-web"}';

  for (const headers of [{}, bearer('wrong'), { authorization: 'Basic !' }, { 'x-api-key': 'SHOP-KEY' }]) {
    const refused = await send('/ingest', line, headers);
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('www-authenticate')!, /^Bearer/);
    assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'unauthorized');
  }
  const otlp = await send('/v1/logs', '{}');
  assert.deepEqual(
    [otlp.status, ((await otlp.json()) as { code: number }).code],
    [401, 16],
    'google.rpc.Code UNAUTHENTICATED',
  );
  const protobuf = await send('/v1/logs', '', { 'content-type': 'application/x-protobuf' });
  assert.equal(protobuf.headers.get('content-type'), 'application/x-protobuf');
  assert.deepEqual([...new Uint8Array(await protobuf.arrayBuffer()).subarray(0, 2)], [8, 16]);
  const bulk = await send('/_bulk', `{"index":{}}\n${line}\n`);
  const { error } = (await bulk.json()) as { error: { type: string } };
  assert.deepEqual([bulk.status, error.type], [401, 'security_exception']);
  assert.equal((await send('/loki/api/v1/push', '{"streams":[]}')).status, 401);
  assert.equal((await fetch(service.address)).status, 401);
  for (const path of ['/health/live', '/health/ready', '/ready'])
    assert.equal((await fetch(service.address + path)).status, 200, path);

  const ways = [
    bearer('shop-key'),
    { authorization: `ApiKey ${base64('any:shop-key')}` },
    { authorization: `Basic ${base64('any:shop-key')}` },
    { 'x-api-key': 'shop-key' },
  ];
  for (const headers of ways)
    assert.equal((await send('/ingest', line, headers as Record<string, string>)).status, 200);

  const foreign = await send(
    '/ingest',
    '[{"message":"x","service":"bank"},{"message":"y","service":"shop-b"}]',
    {
      ...bearer('shop-key'),
    },
  );
  const { accepted, rejected } = (await foreign.json()) as { accepted: number; rejected: { code: string }[] };
  assert.deepEqual([accepted, rejected.map(({ code }) => code)], [1, ['service-not-allowed']]);
  const item = await send('/_bulk', '{"index":{}}\n{"message":"z","service":"bank"}\n', bearer('shop-key'));
  assert.match(await item.text(), /"status":403.*service-not-allowed/);
  const record = { body: { stringValue: 'o' } };
  const partial = await send(
    '/v1/logs',
    JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }),
    bearer('shop-key'),
  );
  assert.match(await partial.text(), /"rejectedLogRecords":"1".*service-not-allowed/);

  const many = Array.from({ length: 20_000 }, () => '{"message":"b"}').join('\n');
  assert.equal((await send('/ingest', many, bearer('slow-key'))).status, 200);
  const over = await send('/ingest', '{"message":"c"}', bearer('slow-key'));
  assert.equal(over.status, 429);
  assert.ok(Number(over.headers.get('retry-after')) > 1_000);
  assert.match(await over.text(), /quota-exceeded/);
  assert.equal((await send('/ingest', line, bearer('shop-key'))).status, 200, 'the other key is not slowed');
  const metrics = await service.telemetry.registry.metrics();
  assert.match(metrics, /quota_refused_requests_total\{key="slow",.*\} 1\n/);
  assert.match(metrics, /key_events_total\{key="slow",.*\} 20000\n/);

  // The file is read again when it changes; a key that was taken out is refused, and one over its old quota has the new one.
  const until = (key: string, status: number) =>
    eventually(`a ${status}`, async () => {
      const response = await send('/ingest', '{"message":"b","service":"shop-b"}', bearer(key));
      return response.status === status;
    });
  write([{ ...slow, quota: { eventsPerSecond: 1e9 } }]);
  await until('shop-key', 401);
  assert.equal((await send('/ingest', '{"message":"d"}', bearer('slow-key'))).status, 200);
  writeFileSync(file, 'keys: [');
  await until('slow-key', 503);

  await service.drain();
  const events = await readEvents(folder.path);
  const messages = events.map(({ message }) => message).filter((message) => message !== 'b');
  assert.deepEqual(messages.sort(), ['a', 'a', 'a', 'a', 'a', 'd', 'y']);
  const deadLetters = await readDeadLetters(folder.path);
  assert.deepEqual(new Set(deadLetters.map(({ code }) => code)), new Set(['service-not-allowed']));
  assert.equal(deadLetters.length, 3);
});

test('a keys file that cannot be used stops the start', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'keys.json');
  const start = () => startForTest(folder.path, { INGEST_KEYS: file });
  const fails = (message: RegExp) => assert.rejects(start, { code: 'bad-settings', message });
  await fails(/ENOENT/);
  const key = { name: 'a', sha256: hash('a') };
  for (const [keys, message] of [
    [[{ ...key, sha256: 'secret' }], /keys\.0\.sha256/],
    [[key, key], /two keys are named a/],
    [[{ ...key, qouta: {} }], /qouta/],
  ] as const) {
    writeFileSync(file, JSON.stringify({ keys }));
    await fails(message);
  }
});

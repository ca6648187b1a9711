import { loadtestKind } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

const json = { 'content-type': 'application/json' };
const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code;

test("only the header of a request marks its events as a load test's, through every receiver over HTTP", async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const send = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(service.address + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { ...json, ...headers },
    });
  const run = { 'logloom-loadtest': 'ab12' };
  const marked = await send('/ingest', { message: 'a', correlationId: 'r1' }, run);
  assert.deepEqual([marked.status, marked.headers.get('logloom-loadtest')], [200, 'ab12']);
  await send('/_bulk', '{"index":{}}\n{"message":"b"}\n', run);
  const logRecords = [{ body: { stringValue: 'c' } }];
  await send('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }, run);
  await send(
    '/loki/api/v1/push',
    { streams: [{ stream: { job: 'x' }, values: [[`${Date.now()}000000`, 'd']] }] },
    run,
  );
  // Whatever an event says of itself.
  const claims = {
    correlationKind: 'loadtest',
    correlation_kind: 'loadtest',
    kind: 'loadtest',
    loadtest: { run: 'ab12' },
  };
  const plain = await send('/ingest', { message: 'e', correlationId: 'r1', ...claims });
  assert.equal(plain.headers.get('logloom-loadtest'), null);
  const wrong = await send('/ingest', { message: 'f' }, { 'logloom-loadtest': 'a b' });
  assert.deepEqual([wrong.status, await codeOf(wrong)], [400, 'bad-loadtest']);
  // The load test asks so whether its events would be marked.
  const probe = await send('/ingest', '[]', run);
  assert.equal(probe.headers.get('logloom-loadtest'), 'ab12');
  await service.drain();
  const events = await readEvents(folder.path);
  const kinds = Object.fromEntries(events.map(({ message, correlationKind }) => [message, correlationKind]));
  assert.deepEqual(kinds, {
    a: loadtestKind,
    b: loadtestKind,
    c: loadtestKind,
    d: loadtestKind,
    e: 'correlationId',
  });
  assert.equal(events.find(({ message }) => message === 'a')?.correlationId, 'r1');
});

test('where senders have keys, only a key with the permission hides events, and a setting forbids it to all', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'keys.yaml');
  const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
  writeFileSync(
    file,
    JSON.stringify({
      keys: [
        { name: 'shop', sha256: sha256('shop-key') },
        { name: 'tester', sha256: sha256('tester-key'), loadtest: true },
      ],
    }),
  );
  const send = (address: string, key: string) =>
    fetch(`${address}/ingest`, {
      method: 'POST',
      body: JSON.stringify({ message: `of ${key}`, correlationId: 'r1' }),
      headers: { ...json, authorization: `Bearer ${key}`, 'logloom-loadtest': 'ab12' },
    });
  await using service = await startForTest(folder.path, { INGEST_KEYS: file });
  const refused = await send(service.address, 'shop-key');
  assert.deepEqual([refused.status, await codeOf(refused)], [403, 'loadtest-not-allowed']);
  assert.equal((await send(service.address, 'tester-key')).status, 200);
  const counted = await service.telemetry.registry.metrics();
  assert.match(counted, /^logloom_ingest_loadtest_events_total\{.*key="tester".*\} 1$/m);
  assert.doesNotMatch(counted, /^logloom_ingest_loadtest_events_total\{.*key="shop"/m);
  await service.drain();
  await using strict = await startForTest(folder.path, { INGEST_KEYS: file, INGEST_LOADTEST: 'false' });
  assert.equal((await send(strict.address, 'tester-key')).status, 403);
  await strict.drain();
  const events = await readEvents(folder.path);
  assert.deepEqual(
    events.map(({ message, correlationKind }) => [message, correlationKind]),
    [['of tester-key', loadtestKind]],
  );
});

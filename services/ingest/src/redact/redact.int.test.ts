import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

const secrets = ['4111 1111 1111 1111', 'ada@example.com', 'eyJhbGciOi.eyJzdWIiOi.c2lnbmF0', 'hunter2'];

test('no secret reaches the log through any receiver, in events or dead letters', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path, {
    INGEST_REDACT: 'card,token,email',
    INGEST_REDACT_FIELDS: 'password',
  });
  const send = async (path: string, body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(service.address + path, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json' },
    });
    await response.arrayBuffer();
  };
  const [card, email, token, password] = secrets as [string, string, string, string];
  const good = { message: `paid ${card} by ${email}`, auth: token, password };
  const tooDeep = `${'['.repeat(70)}${']'.repeat(70)}`;
  const bad = { ...good, deep: JSON.parse(tooDeep) as unknown };
  await send(
    '/ingest',
    `${JSON.stringify(good)}\n${JSON.stringify(bad)}\n{"password":"${password}","m":"${card}`,
  );
  await send('/_bulk', `{"index":{}}\n${JSON.stringify(good)}\n{"index":{}}\n${JSON.stringify(bad)}\n`);
  const record = (timeUnixNano: string) => ({
    timeUnixNano,
    body: { stringValue: good.message },
    attributes: [
      { key: 'password', value: { stringValue: password } },
      { key: 'auth', value: { stringValue: token } },
    ],
  });
  const logRecords = [record('1'), { ...record('1'), attributes: 'never' }];
  await send('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  const pair = { key: 'password', value: { stringValue: password } };
  const list = {
    kvlistValue: { values: [pair, { key: 'inner', value: { kvlistValue: { values: [pair] } } }] },
  };
  const structured = [{ body: list }, { body: list, attributes: 'never' }];
  await send('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords: structured }] }] });
  const arrays = [{ body: { arrayValue: { values: [list, { stringValue: `password=${password}` }] } } }];
  await send('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords: arrays }] }] });
  await send('/ingest', { message: { password, card, list: [{ password }] } });
  await send(
    '/ingest',
    `{"msg":${JSON.stringify(JSON.stringify({ deep: JSON.stringify({ password }) }))},"deep":${tooDeep}}`,
  );
  const now = `${Date.now()}000000`;
  const values = [
    [now, `${good.message} ${token}`, { password }],
    [now, JSON.stringify({ message: { password } })],
    [now, 5, { password, owner: email }],
  ];
  await send('/loki/api/v1/push', { streams: [{ stream: { app: 'a', owner: email }, values }] });
  const metrics = await service.telemetry.registry.metrics();
  for (const rule of ['card', 'email', 'token', 'field'])
    assert.match(metrics, new RegExp(`redactions_total\\{rule="${rule}"`));
  await service.drain();
  const events = await readEvents(folder.path);
  const deadLetters = await readDeadLetters(folder.path);
  assert.deepEqual([events.length, deadLetters.length], [8, 7]);
  for (const { at } of [...events, ...deadLetters])
    for (const secret of secrets)
      assert.ok(!at.value.includes(secret), `${secret} in ${at.value.toString('utf8')}`);
});

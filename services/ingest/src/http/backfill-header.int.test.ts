import { SqliteEventLog, type NewRecord } from '@logloom/event-log';
import { backfillHeader, isBackfill, topics } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

test('a header or a query parameter marks the events of a request as a backfill, through every receiver over HTTP', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(service.address + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const marked = { 'logloom-backfill': 'true' };
  const logRecords = [{ body: { stringValue: 'c' } }];
  const values = [[`${Date.now()}000000`, 'd']];
  for (const response of [
    await send('/ingest', { message: 'a' }, marked),
    await send('/_bulk', '{"index":{}}\n{"message":"b"}\n', marked),
    await send('/v1/logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }, marked),
    await send('/loki/api/v1/push', { streams: [{ stream: { job: 'x' }, values }] }, marked),
    await send('/ingest?backfill=true', { message: 'e' }),
    await send('/ingest', { message: 'f', backfill: true }),
    await send('/ingest?backfill=false', { message: 'g' }),
  ])
    assert.ok(response.ok, await response.text());
  for (const [path, headers] of [
    ['/ingest', { 'logloom-backfill': 'yes' }],
    ['/ingest?backfill=1', {}],
  ] as const) {
    const wrong = await send(path, { message: 'h' }, headers);
    const { error } = (await wrong.json()) as { error: { code: string } };
    assert.deepEqual([wrong.status, error.code], [400, 'bad-backfill']);
  }
  await service.drain();
  assert.deepEqual(await marksIn(folder.path), {
    a: true,
    b: true,
    c: true,
    d: true,
    e: true,
    f: false,
    g: false,
  });
});

test('so does the header of a record of logs.raw', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const log = new SqliteEventLog(join(folder.path, 'log'));
  const record = (message: string): NewRecord => ({
    partition: 0,
    key: null,
    value: Buffer.from(JSON.stringify({ message })),
  });
  await log.append(topics.raw, [
    record('a'),
    { ...record('b'), headers: { [backfillHeader]: 'true' } },
    record('c'),
  ]);
  await eventually('all ingested', async () => {
    const ends = await log.endOffsets(topics.events);
    return ends.reduce((sum, end) => sum + end) === 3;
  });
  await log.close();
  await service.drain();
  assert.deepEqual(await marksIn(folder.path), { a: false, b: true, c: false });
});

/** Which events are marked, by their messages. */
async function marksIn(folder: string): Promise<Record<string, boolean>> {
  const events = await readEvents(folder);
  return Object.fromEntries(events.map(({ message, at }) => [message, isBackfill(at)]));
}

import { openStackLog, recordedLines } from '@logloom/testing';
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

type Body = string | Buffer;

async function post(address: string, body: Body, headers: Record<string, string> = {}) {
  const response = await fetch(`${address}/ingest`, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as ResponseBody,
  };
}

interface ResponseBody {
  accepted?: number;
  rejected?: { line: number; code: string; message: string }[];
  rejectedCount?: number;
  error?: { code: string; message: string };
}

/** Resolves when requests without a response yet hold so many bytes. */
async function claimed(
  { telemetry }: Awaited<ReturnType<typeof startForTest>>,
  bytes: number,
): Promise<void> {
  const gauge = telemetry.registry.getSingleMetric('logloom_ingest_pending_bytes')!;
  const deadline = Date.now() + 60_000;
  while ((await gauge.get()).values[0]!.value < bytes) {
    assert.ok(Date.now() < deadline, 'the bytes were not counted');
    await sleep(5);
  }
}

const codes = (result: ResponseBody) => result.rejected?.map(({ line, code }) => [line, code]);

test('bodies in each form and packing', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const { address } = service;
  const send = (body: Body, headers?: Record<string, string>) => post(address, body, headers);
  const accepted = async (body: Body, count: number, headers?: Record<string, string>) => {
    const { status, json } = await send(body, headers);
    assert.deepEqual([status, json], [200, { accepted: count, rejected: [] }]);
  };
  const line = '{"message":"a","n":1}';
  await accepted(line, 1);
  await accepted(`\ufeff${line}\r\n\n  \n${line}\n`, 2);
  await accepted(`[${line}, ${line}]`, 2, { 'content-type': 'application/json; charset=utf-8' });
  await accepted('[]', 0, { 'content-type': 'application/json' });
  await accepted(JSON.stringify({ message: 'pretty', a: { b: [1] } }, null, 2), 1);
  await accepted(line, 1, { 'content-type': 'text/plain' });
  await accepted(gzipSync(line), 1, { 'content-encoding': 'gzip' });
  await accepted(deflateSync(line), 1, { 'content-encoding': 'deflate' });
  await accepted(deflateRawSync(line), 1, { 'content-encoding': 'deflate' });
  await accepted(zstdCompressSync(line), 1, { 'content-encoding': 'zstd' });
  await accepted(brotliCompressSync(line), 1, { 'content-encoding': 'br' });
  const bare = await fetch(`${address}/ingest`, { method: 'POST', body: new Uint8Array(Buffer.from(line)) });
  assert.equal(bare.status, 200);

  const failed = async (status: number, code: string, body: Body, headers?: Record<string, string>) => {
    const result = await send(body, headers);
    assert.deepEqual([result.status, result.json.error?.code], [status, code]);
  };
  const type = (value: string) => ({ 'content-type': value });
  await failed(415, 'unsupported-type', line, type('application/xml'));
  await failed(415, 'unsupported-type', line, type('nonsense'));
  await failed(415, 'unsupported-encoding', line, { 'content-encoding': 'lzma' });
  for (const encoding of ['gzip', 'deflate', 'zstd', 'br'])
    await failed(400, 'bad-encoding', 'not packed at all', { 'content-encoding': encoding });
  await failed(400, 'bad-encoding', gzipSync(line).subarray(0, 20), { 'content-encoding': 'gzip' });
  await failed(400, 'bad-encoding', zstdCompressSync(line).subarray(0, 20), { 'content-encoding': 'zstd' });
  await failed(400, 'empty-body', '');
  await failed(400, 'empty-body', ' \n\n');
  await failed(400, 'bad-json', `[${line}, oops]`, type('application/json'));
  await failed(400, 'bad-json', `[${line},`, type('application/json'));
  await failed(400, 'bad-producer', line, { 'logloom-producer': 'a' });
  await failed(400, 'bad-producer', line, { 'logloom-producer': 'a b', 'logloom-sequence': '1' });
  await failed(400, 'bad-producer', line, { 'logloom-producer': 'a', 'logloom-sequence': '-1' });
  const nothing = await send('oops\n[1]');
  assert.equal(nothing.status, 400);
  assert.equal(nothing.json.error?.code, 'nothing-readable');
  assert.deepEqual(codes(nothing.json), [
    [1, 'bad-json'],
    [2, 'not-an-object'],
  ]);
  const unknown = await fetch(`${address}/nowhere`);
  assert.deepEqual(
    [unknown.status, ((await unknown.json()) as ResponseBody).error?.code],
    [404, 'not-found'],
  );
  const wrongMethod = await fetch(`${address}/ingest`);
  assert.deepEqual([wrongMethod.status, wrongMethod.headers.get('allow')], [405, 'POST']);
  for (const path of ['live', 'ready']) assert.equal((await fetch(`${address}/health/${path}`)).status, 200);
});

test('bad lines do not touch the good ones beside them, and are kept whole', async () => {
  using folder = temporaryFolder();
  const good = '{"message":"good"}';
  const invalid = Buffer.concat([Buffer.from('{"message":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const bad = [
    Buffer.from('['.repeat(100_000)),
    Buffer.from(deep),
    Buffer.from(`{"message":"${'x'.repeat(10_000_000)}"}`),
    invalid,
    Buffer.from('{}'),
    Buffer.from('"text"'),
  ];
  const newline = Buffer.from('\n');
  const body = Buffer.concat([good, ...bad, good].flatMap((part) => [Buffer.from(part as string), newline]));
  {
    await using service = await startForTest(folder.path);
    const { status, json } = await post(service.address, body);
    assert.equal(status, 200);
    assert.equal(json.accepted, 2);
    assert.deepEqual(codes(json), [
      [2, 'bad-json'],
      [3, 'too-deep'],
      [4, 'event-too-large'],
      [5, 'invalid-utf8'],
      [6, 'empty-event'],
      [7, 'not-an-object'],
    ]);
    const many = await post(service.address, `${good}\n${'no\n'.repeat(1500)}`);
    assert.deepEqual([many.json.rejected?.length, many.json.rejectedCount], [1000, 1500]);
  }
  assert.equal((await readEvents(folder.path)).length, 3);
  const deadLetters = await readDeadLetters(folder.path);
  const first = deadLetters.slice(0, bad.length);
  assert.ok(first.every(({ payload }, i) => payload.equals(bad[i]!)));
  assert.deepEqual(
    first.map(({ source }) => source.offset),
    [1, 2, 3, 4, 5, 6],
  );
});

test('limits: a bomb is stopped, and requests past the pending bytes wait outside', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path, {
    INGEST_MAX_BODY_BYTES: '1000000',
    INGEST_MAX_PENDING_BYTES: '1500000',
  });
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
  const stopped = await post(service.address, bomb, { 'content-encoding': 'gzip' });
  assert.deepEqual([stopped.status, stopped.json.error?.code], [413, 'body-too-large']);
  const large = await post(service.address, ' '.repeat(1_000_001));
  assert.equal(large.status, 413);

  // A body that stays unfinished keeps its bytes claimed.
  const slow = httpRequest(`${service.address}/ingest`, { method: 'POST' });
  const slowAnswer = new Promise<number>((resolve) =>
    slow.on('response', (response) => resolve(response.resume().statusCode!)),
  );
  const line = `{"message":"${'x'.repeat(900_000)}"}`;
  slow.write(line);
  await claimed(service, line.length);
  const result = await post(service.address, line);
  assert.deepEqual([result.status, result.json.error?.code], [429, 'overloaded']);
  assert.ok(Number(result.headers.get('retry-after')) > 0);
  slow.end();
  assert.equal(await slowAnswer, 200);
  assert.equal((await post(service.address, line)).status, 200);
});

test('a drain finishes the request in work and refuses new ones', async () => {
  using folder = temporaryFolder();
  const service = await startForTest(folder.path);
  const slow = httpRequest(`${service.address}/ingest`, { method: 'POST' });
  const responded = new Promise<{ status: number; connection: string | undefined }>((resolve) =>
    slow.on('response', (response) =>
      resolve({ status: response.resume().statusCode!, connection: response.headers.connection }),
    ),
  );
  slow.write('{"message":"begun"}\n');
  await claimed(service, 1);
  const drained = service.drain();
  slow.end('{"message":"ended"}\n');
  assert.deepEqual(await responded, { status: 200, connection: 'close' });
  await drained;
  await assert.rejects(fetch(`${service.address}/health/live`));
  assert.equal((await readEvents(folder.path)).length, 2);
});

test('a retry under the same sequence numbers is stored once: blank and refused lines have numbers too', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    const headers = { 'logloom-producer': 'app-1', 'logloom-sequence': '40' };
    for (let attempt = 0; attempt < 2; attempt++)
      await post(service.address, '{"message":"a"}\n\nbroken\n{"message":"b"}', headers);
  }
  const sources = (await readEvents(folder.path)).map(({ source }) => [source.kind, source.offset]);
  assert.deepEqual(sources.toSorted(), [
    ['producer', 40],
    ['producer', 42],
  ]);
});

test('recorded logs: Nezha and OpenStack', async () => {
  using folder = temporaryFolder();
  const nezha = recordedLines(2000);
  const openStack = openStackLog()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((message) => JSON.stringify({ message, app: 'openstack' }));
  {
    await using service = await startForTest(folder.path);
    assert.deepEqual((await post(service.address, nezha.join('\n'))).json, {
      accepted: nezha.length,
      rejected: [],
    });
    const result = await post(service.address, openStack.join('\n'));
    assert.deepEqual(result.json, { accepted: 2000, rejected: [] });
  }
  const events = await readEvents(folder.path);
  const byMessage = events.filter(({ service }) => service === 'openstack');
  const ids = new Set(byMessage.map(({ correlationId }) => correlationId).filter((id) => id !== null));
  assert.equal(ids.size, 938);
  const traced = events.filter(({ service }) => service !== 'openstack');
  assert.ok(traced.every((event) => event.correlationId === event.traceId));
  const partitions = Map.groupBy(events, ({ correlationId }) => correlationId);
  for (const [id, members] of partitions)
    if (id !== null) assert.equal(new Set(members.map(({ at }) => at.partition)).size, 1);
});

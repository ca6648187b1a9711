import type { LogEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs/minimal.js';
import { compress } from 'snappy';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../../testing/ingest-harness.ts';
import { tagOf } from '../protobuf-reader.ts';

const seconds = 1_767_225_600;
const nanoseconds = `${seconds}123456789`;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

interface Stream {
  labels: Record<string, string>;
  entries: [line: string, metadata?: Record<string, string>][];
}

const streams: Stream[] = [
  {
    labels: { service_name: 'checkout', env: 'prod "a"\\b', level: 'warn', instance: 'h1' },
    entries: [
      ['plain text', { trace_id: traceId, detected_level: 'error', env: 'other' }],
      [`{"msg":"refused","level":"error","request_id":"r-1","n":1,"env":"line"}`],
      ['{"level":{},"n":1}'],
    ],
  },
  {
    labels: { job: 'worker', container: 'c' },
    entries: [
      [`level=error msg="took long" traceID=${traceId} n=1`, { detected_level: 'unknown' }],
      ['{"n":1}'],
      ['no level here'],
    ],
  },
];

type Push = (address: string, streams: Stream[], time?: string) => Promise<Response>;

const pushJson: Push = (address, streams, time = nanoseconds) =>
  fetch(`${address}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(
      JSON.stringify({
        streams: streams.map(({ labels, entries }) => ({
          stream: labels,
          values: entries.map((entry) => [time, ...entry]),
        })),
      }),
    ) as never,
  });

const pushProtobuf: Push = async (address, streams, time = nanoseconds) =>
  fetch(`${address}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: (await compress(encode(streams, time))) as never,
  });

/** Loki's push.proto, as Promtail writes it. */
function encode(streams: Stream[], time: string): Buffer {
  const writer = protobuf.Writer.create();
  for (const { labels, entries } of streams) {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    writer.uint32(tagOf(1)).fork();
    writer.uint32(tagOf(1)).string(`{${pairs.join(', ')}}`);
    for (const [line, metadata = {}] of entries) {
      writer.uint32(tagOf(2)).fork();
      writer.uint32(tagOf(1)).fork();
      writer
        .uint32(8)
        .int64(Number(time.slice(0, -9)))
        .uint32(16)
        .int32(Number(time.slice(-9)))
        .ldelim();
      writer.uint32(tagOf(2)).string(line);
      for (const [name, value] of Object.entries(metadata))
        writer.uint32(tagOf(3)).fork().uint32(tagOf(1)).string(name).uint32(tagOf(2)).string(value).ldelim();
      writer.ldelim();
    }
    writer.ldelim();
  }
  return Buffer.from(writer.finish());
}

const inOrder = async (folder: string): Promise<LogEvent[]> =>
  (await readEvents(folder)).sort((a, b) => a.source.offset - b.source.offset);

for (const [name, push] of [
  ['JSON', pushJson],
  ['snappy protobuf', pushProtobuf],
] as const)
  test(`${name}: labels, structured metadata and what lines say of themselves`, async () => {
    using folder = temporaryFolder();
    {
      await using service = await startForTest(folder.path);
      const response = await push(service.address, streams);
      assert.deepEqual([response.status, await response.text()], [204, '']);
    }
    const events = await inOrder(folder.path);
    assert.ok(events.every(({ timestamp }) => timestamp === seconds * 1e6 + 123_456));
    assert.deepEqual(
      events.map(({ level, service, host, message, correlationId, traceId }) => [
        level,
        service,
        host,
        message,
        correlationId,
        traceId,
      ]),
      [
        ['warn', 'checkout', 'h1', 'plain text', traceId, traceId],
        ['warn', 'checkout', 'h1', 'refused', 'r-1', null],
        ['warn', 'checkout', 'h1', '{"level":{},"n":1}', null, null],
        ['error', 'c', null, streams[1]!.entries[0]![0], traceId, traceId],
        ['info', 'c', null, '{"n":1}', null, null],
        ['info', 'c', null, 'no level here', null, null],
      ],
    );
    const env = 'prod "a"\\b';
    assert.deepEqual(
      events.map(({ attributes }) => JSON.parse(attributes) as unknown),
      [
        { detected_level: 'error', env: 'other', instance: 'h1', labels: { env } },
        { level: 'error', requestId: 'r-1', n: 1, env: 'line', instance: 'h1', labels: { env } },
        { level: {}, n: 1, env, instance: 'h1' },
        { detected_level: 'unknown', job: 'worker', container: 'c' },
        { n: 1, job: 'worker', container: 'c' },
        { job: 'worker', container: 'c' },
      ],
    );
  });

test('refused entries are told and kept, the others taken in; what is no push is refused whole', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    const send = async (body: string | Buffer, type: string) => {
      const response = await fetch(`${service.address}/loki/api/v1/push`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: body as string,
      });
      return [response.status, await response.text()] as const;
    };
    const json = 'application/json';
    const values = [
      ['1', 'good'],
      ['soon', 'bad'],
      [nanoseconds, 5],
      ['2', 'good'],
    ];
    const [status, text] = await send(JSON.stringify({ streams: [{ stream: { a: 'b' }, values }] }), json);
    assert.equal(status, 400);
    assert.match(text, /^1 of 4 entries refused: wrong-shape \(1, the first is number 3\)/);
    // The clock of this sender is wrong.
    assert.equal((await pushProtobuf(service.address, streams, '9999999999000000000')).status, 204);

    const failed = async (status: number, code: string, body: string | Buffer, type = json) => {
      const result = await send(body, type);
      assert.equal(result[0], status);
      assert.ok(result[1].startsWith(`${code}: `), result[1]);
    };
    const protobufType = 'application/x-protobuf';
    await failed(400, 'bad-json', '{"streams":');
    await failed(400, 'wrong-shape', '{}');
    await failed(400, 'wrong-shape', '{"streams":[{"stream":[],"values":[]}]}');
    await failed(400, 'bad-encoding', 'not snappy', protobufType);
    await failed(400, 'bad-protobuf', await compress(Buffer.from('nonsense')), protobufType);
    const labels = { 'a=': 'b' };
    const noLabels = await compress(encode([{ labels, entries: [['line']] }], nanoseconds));
    await failed(400, 'wrong-shape', noLabels, protobufType);
    // Says that it unpacks to 4 GiB.
    await failed(413, 'body-too-large', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), protobufType);
    await failed(415, 'unsupported-type', '{}', 'text/plain');
    const ready = await fetch(`${service.address}/ready`);
    assert.deepEqual([ready.status, await ready.text()], [200, 'ready\n']);
  }
  const events = await inOrder(folder.path);
  assert.deepEqual(
    events.slice(0, 3).map(({ message }) => message),
    ['good', 'bad', 'good'],
  );
  assert.deepEqual(JSON.parse(events[1]!.attributes), {
    a: 'b',
    timestamp: 'soon',
    parseNotes: ['timestamp: not a time'],
  });
  assert.equal(events.length, 3 + streams.flatMap(({ entries }) => entries).length);
  for (const { timestamp, receivedAt } of events) assert.equal(timestamp, receivedAt * 1000);
  const deadLetters = await readDeadLetters(folder.path);
  assert.deepEqual(
    deadLetters.map(({ payload }) => JSON.parse(payload.toString()) as unknown),
    [{ streams: [{ stream: { a: 'b' }, values: [[nanoseconds, 5]] }] }],
  );
});

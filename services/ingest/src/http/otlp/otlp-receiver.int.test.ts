import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { LogEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs/minimal.js';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../../testing/ingest-harness.ts';
import { MessageReader, tagOf } from '../protobuf-reader.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const seconds = 1_767_225_600;
const schemaUrl = 'https://opentelemetry.io/schemas/1.27.0';

/** Everything that a record can hold, logged through the SDK. */
async function log(exporter: LogRecordExporter): Promise<void> {
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({
      'service.name': 'checkout',
      'host.name': 'h1',
      'service.version': '1.2',
    }),
    processors: [new BatchLogRecordProcessor({ exporter })],
  });
  const logger = provider.getLogger('shop', '3.1', { schemaUrl });
  const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });
  const timestamp: [number, number] = [seconds, 123_456_789];
  logger.emit({
    timestamp,
    observedTimestamp: [seconds + 1, 5],
    context,
    severityNumber: 18,
    severityText: 'Odd',
    body: 'card refused',
    attributes: {
      request_id: 'r-1',
      'http.status_code': 502,
      ratio: 0.5,
      ok: false,
      level: 'not a level',
      tags: ['a', 'b'],
      nested: { a: { b: [1, null] } },
      bytes: new Uint8Array([1, 2, 255]),
      big: 2 ** 53,
    },
  });
  logger.emit({
    timestamp,
    observedTimestamp: timestamp,
    severityNumber: 9,
    severityText: 'INFO',
    body: { msg: 'structured', code: 7, ok: true },
    attributes: { ok: 'attribute' },
    eventName: 'app.started',
  });
  await provider.forceFlush();
  await provider.shutdown();
}

for (const [name, Exporter] of [
  ['protobuf', ProtobufExporter],
  ['JSON', JsonExporter],
] as const)
  test(`the OpenTelemetry SDK for Node, ${name}: every part of a record is kept`, async () => {
    using folder = temporaryFolder();
    {
      await using service = await startForTest(folder.path);
      await log(new Exporter({ url: `${service.address}/v1/logs`, compression: 'gzip' as never }));
    }
    const [first, second] = await inOrder(folder.path);
    const shared = {
      resource: { 'service.version': '1.2' },
      scope: { name: 'shop', version: '3.1', schemaUrl },
    };
    assert.deepEqual(fieldsOf(first!), {
      timestamp: seconds * 1e6 + 123_456,
      level: 'error',
      service: 'checkout',
      host: 'h1',
      message: 'card refused',
      correlationId: traceId,
      correlationKind: 'traceId',
      traceId,
      spanId,
    });
    assert.deepEqual(JSON.parse(first!.attributes), {
      requestId: 'r-1',
      'http.status_code': 502,
      ratio: 0.5,
      ok: false,
      level: 'not a level',
      tags: ['a', 'b'],
      nested: { a: { b: [1, null] } },
      bytes: 'AQL/',
      big: '9007199254740992',
      severityNumber: 18,
      severityText: 'Odd',
      flags: 1,
      observedTimeUnixNano: `${seconds + 1}000000005`,
      ...shared,
    });
    assert.deepEqual(fieldsOf(second!), {
      timestamp: seconds * 1e6 + 123_456,
      level: 'info',
      service: 'checkout',
      host: 'h1',
      message: 'structured',
      correlationId: null,
      correlationKind: null,
      traceId: null,
      spanId: null,
    });
    assert.deepEqual(JSON.parse(second!.attributes), {
      code: 7,
      ok: 'attribute',
      body: { ok: true },
      eventName: 'app.started',
      ...shared,
    });
  });

async function inOrder(folder: string): Promise<LogEvent[]> {
  return (await readEvents(folder)).sort((a, b) => a.source.offset - b.source.offset);
}

function fieldsOf(event: LogEvent) {
  const { timestamp, level, service, host, message, correlationId, correlationKind, traceId, spanId } = event;
  return { timestamp, level, service, host, message, correlationId, correlationKind, traceId, spanId };
}

const jsonType = 'application/json';
const protobufType = 'application/x-protobuf';

async function post(address: string, body: string | Buffer, type: string, encoding?: string) {
  const headers = { 'content-type': type, ...(encoding !== undefined && { 'content-encoding': encoding }) };
  const response = await fetch(`${address}/v1/logs`, { method: 'POST', body: body as string, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.headers.get('content-type'), type === protobufType ? protobufType : jsonType);
  return { status: response.status, bytes, headers: response.headers };
}

const request = (logRecords: unknown[], resource: object = {}): string =>
  JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });

test('partial success: the good records beside bad ones are taken in, in both encodings', async () => {
  using folder = temporaryFolder();
  const records = [
    { body: { stringValue: 'one' }, timeUnixNano: String(seconds) + '000000001' },
    { body: { stringValue: 'two' }, timeUnixNano: '99999999999999999999' },
    { body: { stringValue: 'three' }, time_unix_nano: seconds * 1e9, severity_number: 13, trace_id: traceId },
    { body: 5 },
    { severityNumber: 'SEVERITY_NUMBER_FATAL2', attributes: [{ key: 'n', value: { intValue: 2 ** 54 } }] },
    'nonsense',
  ];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 's' } }] };
  const record = (message: string, broken = false): Buffer => {
    const writer = protobuf.Writer.create().uint32(tagOf(5)).fork().uint32(tagOf(1)).string(message).ldelim();
    return Buffer.from((broken ? writer.uint32(tagOf(6)).uint32(99) : writer).finish());
  };
  const writer = protobuf.Writer.create().uint32(tagOf(1)).fork().uint32(tagOf(2)).fork();
  for (const each of [record('four'), record('broken', true), record('five')])
    writer.uint32(tagOf(2)).bytes(each);
  const framed = Buffer.from(writer.ldelim().ldelim().finish());
  {
    await using service = await startForTest(folder.path);
    const json = await post(service.address, gzipSync(request(records, resource)), jsonType, 'gzip');
    assert.equal(json.status, 200);
    const { partialSuccess } = JSON.parse(json.bytes.toString()) as {
      partialSuccess: { rejectedLogRecords: string; errorMessage: string };
    };
    assert.equal(partialSuccess.rejectedLogRecords, '1');
    assert.match(partialSuccess.errorMessage, /wrong-shape \(1, the first is number 6\)/);
    const binary = await post(service.address, framed, protobufType);
    assert.equal(binary.status, 200);
    const result = new MessageReader(binary.bytes);
    assert.equal(result.tag(result.end), tagOf(1));
    const end = result.length();
    assert.deepEqual([result.tag(end), result.int64()], [8, 1n]);
    assert.equal(result.tag(end), tagOf(2));
    assert.match(result.text(), /^bad-protobuf \(1, the first is number 2\): /);

    const whole = await post(service.address, request([]), jsonType);
    assert.deepEqual([whole.status, whole.bytes.toString()], [200, '{}']);
    const empty = await post(service.address, Buffer.alloc(0), protobufType);
    assert.deepEqual([empty.status, empty.bytes.length], [200, 0]);
  }
  const events = await inOrder(folder.path);
  assert.deepEqual(
    events.map(({ message, level, service }) => [message, level, service]),
    [
      ['one', 'info', 's'],
      ['two', 'info', 's'],
      ['three', 'warn', 's'],
      ['5', 'info', 's'],
      ['', 'fatal', 's'],
      ['four', 'info', 'unknown'],
      ['five', 'info', 'unknown'],
    ],
  );
  assert.deepEqual(JSON.parse(events[1]!.attributes), { parseNotes: ['timestamp: time out of range'] });
  assert.equal(events[4]!.attributes, '{"n":"18014398509481984","severityNumber":22}');
  assert.deepEqual(
    events.slice(0, 5).map(({ timestamp, receivedAt }) => timestamp === receivedAt * 1000),
    [false, true, false, true, true],
  );
  const deadLetters = (await readDeadLetters(folder.path)).sort((a, b) => a.source.offset - b.source.offset);
  assert.deepEqual(
    deadLetters.map(({ code }) => code),
    ['wrong-shape', 'bad-protobuf'],
  );
  const again = JSON.parse(deadLetters[0]!.payload.toString()) as {
    resourceLogs: { resource: unknown; scopeLogs: { logRecords: unknown[] }[] }[];
  };
  assert.deepEqual(again.resourceLogs[0]!.resource, resource);
  assert.deepEqual(again.resourceLogs[0]!.scopeLogs[0]!.logRecords, [records[5]]);
  assert.ok(deadLetters[1]!.payload.includes(record('broken', true)));
});

test('a request that cannot be read gets a Status in its own encoding', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path, { INGEST_MAX_BODY_BYTES: '100000' });
    const status = async (expected: [number, number, RegExp], body: string | Buffer, type = jsonType) => {
      const result = await post(service.address, body, type);
      assert.equal(result.status, expected[0]);
      assert.equal(result.headers.get('retry-after'), null);
      if (type !== protobufType) {
        const { code, message } = JSON.parse(result.bytes.toString()) as { code: number; message: string };
        assert.equal(code, expected[1]);
        assert.match(message, expected[2]);
        return;
      }
      const reader = new MessageReader(result.bytes);
      assert.deepEqual([reader.tag(reader.end), reader.uint32()], [8, expected[1]]);
      assert.equal(reader.tag(reader.end), tagOf(2));
      assert.match(reader.text(), expected[2]);
    };
    await status([400, 3, /^bad-json: /], '{"resourceLogs":');
    await status([400, 3, /^wrong-shape: resourceLogs is not an array/], '{"resourceLogs":{}}');
    await status([400, 3, /^wrong-shape: /], '[]');
    await status([400, 3, /^invalid-utf8: /], Buffer.from([0x7b, 0xff, 0x7d]));
    await status([400, 3, /^bad-protobuf: /], Buffer.from('nonsense'), protobufType);
    await status([400, 3, /^bad-protobuf: /], Buffer.from([tagOf(1), 200]), protobufType);
    await status([413, 3, /^body-too-large: /], Buffer.alloc(100_001), protobufType);
    await status([415, 3, /^unsupported-type: /], '{}', 'text/xml');
    // What stands once for all would stand a thousand times in the log.
    const resource = { attributes: [{ key: 'a', value: { stringValue: 'x'.repeat(1000) } }] };
    await status([413, 3, /^body-too-large: /], request(Array<object>(1000).fill({ body: {} }), resource));
  }
  assert.deepEqual(await readEvents(folder.path), []);
});

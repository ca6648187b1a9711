import { freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs/minimal.js';
import { tagOf } from '../http/protobuf-reader.ts';
import { GrpcClient, logsPath, tracesPath } from '../testing/grpc-client.ts';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { grpcMessage } from './grpc-message.ts';

const startNanos = 1_767_225_600_123_456_000n;

function request(records: Buffer[]): Buffer {
  const writer = protobuf.Writer.create().uint32(tagOf(1)).fork();
  writer.uint32(tagOf(1)).fork();
  attribute(writer.uint32(tagOf(1)), 'service.name', 'pay');
  writer.ldelim().uint32(tagOf(2)).fork();
  for (const record of records) writer.uint32(tagOf(2)).bytes(record);
  return Buffer.from(writer.ldelim().ldelim().finish());
}

function attribute(writer: protobuf.Writer, name: string, value: string): void {
  writer.fork().uint32(tagOf(1)).string(name).uint32(tagOf(2)).fork().uint32(tagOf(1)).string(value);
  writer.ldelim().ldelim();
}

function log(text: string): Buffer {
  const writer = protobuf.Writer.create().uint32(tagOf(5)).fork().uint32(tagOf(1)).string(text).ldelim();
  return Buffer.from(writer.finish());
}

function span(): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(tagOf(1)).bytes(Buffer.from('ab'.repeat(16), 'hex'));
  writer.uint32(tagOf(2)).bytes(Buffer.from('01'.repeat(8), 'hex'));
  writer.uint32(tagOf(4)).bytes(Buffer.from('02'.repeat(8), 'hex'));
  writer.uint32(tagOf(5)).string('POST /pay').uint32(0x30).int32(2);
  writer.uint32(0x39).fixed64(startNanos.toString());
  writer.uint32(0x41).fixed64((startNanos + 1_234_567_890n).toString());
  attribute(writer.uint32(tagOf(9)), 'http.route', '/pay');
  writer.uint32(tagOf(11)).fork().uint32(tagOf(2)).string('exception');
  attribute(writer.uint32(tagOf(3)), 'exception.type', 'Refused');
  writer.ldelim();
  writer.uint32(tagOf(15)).fork().uint32(tagOf(2)).string('card refused').uint32(0x18).int32(2).ldelim();
  return Buffer.from(writer.finish());
}

async function start(folder: string, env: Record<string, string> = {}) {
  const port = await freePort();
  const service = await startForTest(folder, { OTLP_GRPC_PORT: String(port), ...env });
  return { ...service, port };
}

test('log records and spans over gRPC, packed or not', async () => {
  using folder = temporaryFolder();
  {
    await using service = await start(folder.path);
    using client = new GrpcClient(service.port);
    const plain = await client.call(logsPath, request([log('one'), log('two')]));
    assert.deepEqual([plain.httpStatus, plain.status, plain.body], [200, '0', grpcMessage(Buffer.alloc(0))]);
    const packed = gzipSync(request([log('three')]));
    const framed = grpcMessage(packed);
    framed[0] = 1;
    const headers = { 'grpc-encoding': 'gzip' };
    assert.equal((await client.call(logsPath, framed, { headers, isFramed: true })).status, '0');
    assert.equal((await client.call(tracesPath, request([span()]))).status, '0');
  }
  const events = await readEvents(folder.path);
  const logged = events.filter(({ traceId }) => traceId === null);
  assert.deepEqual(logged.map(({ message, service }) => `${service} ${message}`).sort(), [
    'pay one',
    'pay three',
    'pay two',
  ]);
  const traced = events.find(({ traceId }) => traceId !== null)!;
  const { timestamp, level, message, service, correlationId, spanId } = traced;
  assert.deepEqual(
    [timestamp, level, message, service, correlationId, spanId],
    [Number(startNanos / 1000n), 'error', 'POST /pay: card refused', 'pay', 'ab'.repeat(16), '01'.repeat(8)],
  );
  assert.deepEqual(JSON.parse(traced.attributes), {
    'http.route': '/pay',
    'exception.type': 'Refused',
    eventKind: 'span',
    spanName: 'POST /pay',
    spanKind: 'server',
    parentSpanId: '02'.repeat(8),
    durationMs: 1234.567,
    spanStatus: 'error',
    spanStatusMessage: 'card refused',
    spanEvents: [{ name: 'exception', timeUnixNano: 0, attributes: { 'exception.type': 'Refused' } }],
  });
});

test('each refusal has the status that makes a client send again or stop', async () => {
  using folder = temporaryFolder();
  {
    await using service = await start(folder.path, {
      INGEST_MAX_BODY_BYTES: '100000',
      INGEST_ADDRESS_EVENTS_PER_SECOND: '10',
    });
    using client = new GrpcClient(service.port);
    const status = async (...args: Parameters<GrpcClient['call']>): Promise<[string | undefined, string]> => {
      const { status, message } = await client.call(...args);
      return [status, message.split(':', 1)[0]!];
    };
    const good = request([log('good')]);
    assert.deepEqual(await status('/a.B/C', good), ['12', 'not-found']);
    assert.deepEqual(await status(logsPath, Buffer.from('none'), { isFramed: true }), ['3', 'bad-request']);
    assert.deepEqual(await status(logsPath, Buffer.from([0x0a, 0xff])), ['3', 'bad-protobuf']);
    assert.deepEqual(await status(logsPath, good, { headers: { 'content-type': 'text/plain' } }), [
      '3',
      'unsupported-type',
    ]);
    assert.deepEqual(await status(logsPath, Buffer.alloc(200_000)), ['3', 'body-too-large']);
    const framed = grpcMessage(gzipSync(Buffer.alloc(10_000_000)));
    framed[0] = 1;
    const packed = { headers: { 'grpc-encoding': 'gzip' }, isFramed: true };
    assert.deepEqual(await status(logsPath, framed, packed), ['3', 'body-too-large']);
    const unknown = { headers: { 'grpc-encoding': 'snappy' }, isFramed: true };
    assert.deepEqual(await status(logsPath, framed, unknown), ['3', 'unsupported-encoding']);
    const partly = await client.call(logsPath, request([Buffer.from([0x0b]), log('good beside it')]));
    assert.equal(partly.status, '0');
    assert.match(partly.body.toString('latin1'), /bad-protobuf \(1/);
    assert.equal((await client.call(logsPath, request(Array<Buffer>(100).fill(log('many'))))).status, '0');
    const over = await client.call(logsPath, good);
    assert.equal(over.status, '14');
    assert.match(over.message, /^quota-exceeded: /);
    assert.match(Buffer.from(over.details!, 'base64').toString('latin1'), /google\.rpc\.RetryInfo/);
  }
  const messages = new Set((await readEvents(folder.path)).map(({ message }) => message));
  assert.deepEqual(messages, new Set(['good beside it', 'many']));
  assert.deepEqual(
    (await readDeadLetters(folder.path)).map(({ code }) => code),
    ['bad-protobuf'],
  );
});

test('at a stop, calls in work are finished and the client is told to go', async () => {
  using folder = temporaryFolder();
  await using service = await start(folder.path);
  using client = new GrpcClient(service.port);
  const goaway = once(client.session, 'goaway');
  const calls = Array.from({ length: 50 }, async (_, i) =>
    client.call(logsPath, request([log(`line ${i}`)])),
  );
  const results = await Promise.all(calls);
  await service.drain();
  await goaway;
  assert.ok(results.every(({ status }) => status === '0'));
  assert.equal((await readEvents(folder.path)).length, 50);
});

test('a port that is taken stops the start only where somebody has asked for it', async () => {
  using folder = temporaryFolder();
  await using other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await assert.rejects(
    startForTest(folder.path, { OTLP_GRPC_PORT: String(port) }),
    /OTLP_GRPC_PORT=\d+: .* is used/,
  );
});

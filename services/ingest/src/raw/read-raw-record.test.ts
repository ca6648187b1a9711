import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import avro from 'avsc';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redriveHeaders } from '@logloom/schemas';
import { textPart } from '../pipeline/joint-dead-letter.ts';
import { Normalizer } from '../event/normalize.ts';
import { rawFormat } from './raw-format.ts';
import { readRawRecord } from './read-raw-record.ts';

const receivedAt = Date.parse('2026-03-01T12:00:00Z');
const source = { kind: 'kafka', topic: 'logs.raw', partition: 0, offset: 5, index: 0 };

const foreignType = avro.Type.forSchema({
  type: 'record',
  name: 'AppLog',
  namespace: 'com.example',
  fields: [
    { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'severity', type: { type: 'enum', name: 'Severity', symbols: ['INFO', 'ERROR'] } },
    { name: 'msg', type: 'string' },
    { name: 'app', type: ['null', 'string'] },
    { name: 'trace_id', type: ['null', 'string', 'int'] },
    { name: 'count', type: 'long' },
    { name: 'payload', type: 'bytes' },
    { name: 'http', type: { type: 'record', name: 'Http', fields: [{ name: 'status', type: 'int' }] } },
    { name: 'tags', type: { type: 'map', values: 'string' } },
  ],
});
const foreignId = 900;

const embedded = createEmbeddedSchemaRegistry();
const registry = {
  ...embedded,
  register: embedded.register.bind(embedded),
  schemaById: async (id: number) =>
    id === foreignId
      ? JSON.stringify(foreignType.schema({ exportAttrs: true }))
      : id === foreignId + 1
        ? '"string"'
        : embedded.schemaById(id),
};
const options = {
  serde: await createSerde(registry),
  normalizer: new Normalizer(['\\b(req-[0-9a-f]+)\\b']),
  maxEventBytes: 100_000,
};

async function read(value: Buffer | string, headers: Record<string, string> = {}) {
  const record = { topic: 'logs.raw', partition: 0, offset: 5, timestampMs: receivedAt, key: null };
  const results = await readRawRecord(
    { ...record, value: Buffer.from(value as string), headers },
    source,
    options,
  );
  return results.map(({ source: { index }, result }) =>
    'code' in result
      ? { index, code: result.code }
      : { ...result, index, attributes: JSON.parse(result.attributes) as Record<string, unknown> },
  );
}

function framed(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
}

const otlp = {
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'pay' } }] },
      scopeLogs: [
        {
          logRecords: ['a', 'b'].map((text) => ({
            timeUnixNano: '1767225600000000000',
            severityNumber: 17,
            body: { stringValue: text },
          })),
        },
      ],
    },
  ],
};
// The same in protobuf.
const otlpProtobuf = makeOtlp(['a', 'b']);

function makeOtlp(texts: string[]): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const time = Buffer.alloc(9);
  time[0] = 0x09;
  time.writeBigUInt64LE(1767225600000000000n, 1);
  const records = texts.map((text) =>
    field(2, Buffer.concat([time, Buffer.from([0x10, 17]), field(5, field(1, Buffer.from(text)))])),
  );
  const attribute = Buffer.concat([
    field(1, Buffer.from('service.name')),
    field(2, field(1, Buffer.from('pay'))),
  ]);
  const resource = field(1, field(1, attribute));
  return field(1, Buffer.concat([resource, field(2, Buffer.concat(records))]));
}

test('formats are distinguished by header and content', () => {
  const cases: [value: Buffer | string, type: string | undefined, expected: string][] = [
    ['{"a":1}', undefined, 'json'],
    [' \n{"a":1}', undefined, 'json'],
    ['\n{"a":1}', undefined, 'json'],
    ['[1]', undefined, 'json'],
    ['{broken', undefined, 'json'],
    ['', undefined, 'json'],
    ['{"a":1}', 'text/plain; charset=utf-8', 'text'],
    ['plain', undefined, 'text'],
    ['\nplain', undefined, 'text'],
    ['plain', 'application/json', 'json'],
    ['<13>x', undefined, 'syslog'],
    ['x', 'text/syslog', 'syslog'],
    [otlpProtobuf, undefined, 'otlp'],
    [otlpProtobuf, 'Application/X-Protobuf', 'otlp'],
    [Buffer.from([0, 0, 0, 3, 132, 1]), undefined, 'avro'],
    [Buffer.from([0xff, 0xfe]), undefined, 'json'],
    [Buffer.from([0xff, 0xfe]), 'text/plain', 'text'],
  ];
  for (const [value, type, expected] of cases) {
    const headers = type === undefined ? {} : { 'Content-Type': type };
    assert.equal(rawFormat({ value: Buffer.from(value as string), headers }), expected, String(value));
  }
});

test('each format is read as its events', async () => {
  for (const value of [otlpProtobuf, JSON.stringify(otlp)]) {
    const events = await read(value);
    assert.deepEqual(
      events.map(
        (event) =>
          'message' in event && [event.index, event.service, event.level, event.message, event.timestamp],
      ),
      [
        [0, 'pay', 'error', 'a', 1767225600000000],
        [1, 'pay', 'error', 'b', 1767225600000000],
      ],
    );
  }
  const [ecs] = await read(
    JSON.stringify({
      '@timestamp': '2026-01-01T00:00:00.000Z',
      'log.level': 'warn',
      log: { logger: 'c.f.Bar' },
      message: 'm',
      service: { name: 'pay', version: '1' },
      host: { name: 'h' },
      trace: { id: '4bf9' },
      ecs: { version: '8.11' },
    }),
  );
  assert.deepEqual(ecs, {
    index: 0,
    source,
    timestamp: 1767225600000000,
    receivedAt,
    level: 'warn',
    service: 'pay',
    host: 'h',
    message: 'm',
    correlationId: '4bf9',
    correlationKind: 'traceId',
    traceId: '4bf9',
    spanId: null,
    attributes: { log: { logger: 'c.f.Bar' }, service: { version: '1' }, ecs: { version: '8.11' } },
  });
  const [text] = await read('2026-01-01T00:00:00Z ERROR shop.Cart - no stock for req-12ab\n');
  assert.ok(text !== undefined && 'message' in text);
  assert.deepEqual(
    [text.level, text.message, text.correlationId],
    ['error', 'no stock for req-12ab', 'req-12ab'],
  );
  const [syslog] = await read('<11>1 2026-01-01T00:00:00Z h app - - - m');
  assert.ok(syslog !== undefined && 'message' in syslog);
  assert.deepEqual([syslog.level, syslog.service, syslog.host], ['error', 'app', 'h']);
});

test('a record of a foreign Avro schema is known by the names of its fields', async () => {
  const body = foreignType.toBuffer({
    time: 1767225600123,
    severity: 'ERROR',
    msg: 'm',
    app: 'pay',
    trace_id: '4bf9',
    count: 7,
    payload: Buffer.from('ab'),
    http: { status: 502 },
    tags: { a: 'b' },
  });
  const [event] = await read(framed(foreignId, body));
  assert.deepEqual(event, {
    index: 0,
    source,
    timestamp: 1767225600123000,
    receivedAt,
    level: 'error',
    service: 'pay',
    host: null,
    message: 'm',
    correlationId: '4bf9',
    correlationKind: 'traceId',
    traceId: '4bf9',
    spanId: null,
    attributes: { count: 7, payload: 'YWI=', http: { status: 502 }, tags: { a: 'b' } },
  });
  const codes = async (value: Buffer) => (await read(value)).map((each) => 'code' in each && each.code);
  assert.deepEqual(await codes(framed(foreignId, body.subarray(0, -3))), ['bad-avro']);
  assert.deepEqual(await codes(framed(foreignId, Buffer.concat([body, Buffer.from('x')]))), ['bad-avro']);
  assert.deepEqual(await codes(framed(foreignId + 1, Buffer.from([2, 0x61]))), ['bad-avro']);
  assert.deepEqual(await codes(framed(12345, body)), ['bad-avro']);
});

test('what cannot be read is refused with its reason, and never throws', async () => {
  const cases: [value: Buffer | string, type: string, code: string][] = [
    ['{broken', '', 'bad-json'],
    [otlpProtobuf.subarray(0, -1), '', 'bad-protobuf'],
    ['', 'application/x-protobuf', 'empty-event'],
    ['{"resourceLogs":[]}', '', 'empty-event'],
    [Buffer.from([0xff]), '', 'invalid-utf8'],
    ['x'.repeat(100_001), '', 'event-too-large'],
  ];
  for (const [value, type, code] of cases) {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    assert.deepEqual(await read(value, headers), [{ index: 0, code }], String(value).slice(0, 50));
  }
  const seeds = [
    otlpProtobuf,
    Buffer.from(JSON.stringify(otlp)),
    Buffer.from('<13>1 - - - - - -'),
    framed(foreignId, Buffer.alloc(30)),
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), fc.nat())
    .map(([seed, changes, cut]) => {
      const bytes = Buffer.from(seed.subarray(0, seed.length - (cut % 4)));
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    });
  const type = fc.constantFrom('', 'text/plain', 'application/x-protobuf', 'application/json', 'avro/binary');
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        mutated,
        fc.uint8Array().map((b) => Buffer.from(b)),
      ),
      type,
      async (value, header) => {
        assert.ok((await read(value, { 'content-type': header })).length > 0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a dead letter that many refused events shared is read as each of them when it is redriven', async () => {
  const texts = ['{"message":"one"}', '{"message":', '{"message":"three","service":"shop"}'];
  const deadLetter = Buffer.concat(texts.map((text) => textPart(Buffer.from(text))));
  const headers = redriveHeaders({ jobId: 'job', partition: 0, offset: 7 }, receivedAt - 1000);
  const results = await read(deadLetter, headers);
  assert.deepEqual(
    results.map((result) => [result.index, 'code' in result ? result.code : result.message]),
    [
      [0, 'one'],
      [1, 'bad-json'],
      [2, 'three'],
    ],
  );
});

import { levels, type LogEvent } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingsError } from '@logloom/settings';
import { errors } from '../errors.ts';
import { parseSettings } from '../settings.ts';
import { Normalizer } from './normalize.ts';
import { jsonText } from './json-text.ts';
import { readEvent } from './read-event.ts';
import { parseJson } from './parse-json.ts';

const receivedAt = Date.parse('2026-01-01T00:00:00Z');
const source = { kind: 'http', topic: 'p', partition: 0, offset: 1, index: 0 };
const normalizer = new Normalizer(['\\b(req-[0-9a-f]+)\\b']);

const read = (text: string) => readEvent(text, source, receivedAt, normalizer);

function event(input: unknown) {
  const result = read(typeof input === 'string' ? input : JSON.stringify(input));
  assert.ok(!('code' in result), JSON.stringify(result));
  return result;
}

function code(input: unknown): string {
  const result = read(typeof input === 'string' ? input : JSON.stringify(input));
  assert.ok('code' in result, 'it was accepted');
  return result.code;
}

test('names: the preferred one is taken, the others stay attributes in their place', () => {
  const cases: [input: unknown, expected: object][] = [
    [{ msg: 'a' }, { message: 'a', service: 'unknown', level: 'info', attributes: '{}' }],
    [
      { body: 'b', message: 'a' },
      { message: 'a', attributes: '{"body":"b"}' },
    ],
    [
      { z: 1, msg: 'b', y: 2, message: 'a', x: [1, { q: null }] },
      { message: 'a', attributes: '{"z":1,"msg":"b","y":2,"x":[1,{"q":null}]}' },
    ],
    [{ message: { a: [1] } }, { message: '{"a":[1]}' }],
    [{ message: 5 }, { message: '5' }],
    [{ body: 5 }, { message: '', attributes: '{"body":5}' }],
    [
      { message: '', http: { request: { id: 'r', method: 'GET' }, status: 200 } },
      {
        correlationId: 'r',
        attributes: '{"requestId":"r","http":{"request":{"method":"GET"},"status":200}}',
      },
    ],
    [
      { message: '', http: { request: { id: 'r' } } },
      { correlationId: 'r', attributes: '{"requestId":"r"}' },
    ],
    [
      { message: '', http: { request: {}, a: [] } },
      { correlationId: null, attributes: '{"http":{"request":{},"a":[]}}' },
    ],
    [{ service: { name: 's', version: '1' } }, { service: 's', attributes: '{"service":{"version":"1"}}' }],
    [
      { host: { hostname: 'h' }, log: { level: 'warn' } },
      { host: 'h', level: 'warn', attributes: '{}' },
    ],
    [{ log: 'text' }, { message: 'text' }],
    [{ name: 'n' }, { service: 'unknown', attributes: '{"name":"n"}' }],
    [
      { name: 'n', v: 0, pid: 1, hostname: 'h', level: 50 },
      { service: 'n', host: 'h', level: 'error', attributes: '{"v":0,"pid":1}' },
    ],
    [{ attributes: { a: 1 }, b: 2 }, { attributes: '{"a":1,"b":2}' }],
    [{ attributes: { b: 1 }, b: 2 }, { attributes: '{"attributes":{"b":1},"b":2}' }],
    [
      { attributes: { service: 'x' }, service: 's' },
      { service: 's', attributes: '{"service":"x"}' },
    ],
    [{ attributes: [1] }, { attributes: '{"attributes":[1]}' }],
    ['{"a":1,"__proto__":{"b":2}}', { attributes: '{"a":1,"__proto__":{"b":2}}' }],
  ];
  for (const [input, expected] of cases) assert.deepEqual({ ...event(input), ...expected }, event(input));
});

test('ids: the first present one groups the event', () => {
  const trace = 'a'.repeat(32);
  const span = 'b'.repeat(16);
  const cases: [input: unknown, expected: object][] = [
    [
      { correlation_id: 'c', req_id: 7 },
      { correlationId: 'c', attributes: '{"requestId":"7"}' },
    ],
    [
      { reqId: 'r', traceId: trace },
      { correlationId: trace, correlationKind: 'traceId', attributes: '{"requestId":"r"}' },
    ],
    [
      { correlationId: '-', traceId: trace },
      { correlationId: trace, correlationKind: 'traceId', attributes: '{"correlationId":"-"}' },
    ],
    ...['null', 'N/A', 'undefined', '0', '00000000-0000-0000-0000-000000000000', '-', 'ffffffffffffffff'].map(
      (requestId): [object, object] => [
        { requestId, sessionId: 's' },
        {
          correlationId: 's',
          correlationKind: 'sessionId',
          attributes: JSON.stringify({ requestId, sessionId: 's' }),
        },
      ],
    ),
    [{ trace: { id: trace } }, { correlationId: trace, correlationKind: 'traceId', attributes: '{}' }],
    [{ 'session.id': 's' }, { correlationKind: 'sessionId', attributes: '{"sessionId":"s"}' }],
    [{ traceparent: `00-${trace}-${span}-01` }, { traceId: trace, spanId: span, correlationId: trace }],
    [
      { traceId: '0'.repeat(32), message: 'x' },
      { traceId: null, correlationId: null },
    ],
    [
      { requestId: '', message: 'on req-12ab.' },
      { correlationId: 'req-12ab', correlationKind: 'message' },
    ],
    [
      { correlationId: 'c', attributes: { tenant: 'a', requestId: 'r' } },
      { correlationId: 'c', attributes: '{"tenant":"a","requestId":"r"}' },
    ],
    [
      { attributes: { requestId: 'r', b: 1, sessionId: 's' } },
      { correlationId: 'r', attributes: '{"requestId":"r","b":1,"sessionId":"s"}' },
    ],
    [
      { requestId: 'q', attributes: { requestId: 'r' } },
      { correlationId: 'q', attributes: '{"attributes":{"requestId":"r"},"requestId":"q"}' },
    ],
    [{ requestId: { a: 1 }, req_id: 'r' }, { attributes: '{"requestId":{"a":1},"req_id":"r"}' }],
    [
      '{"traceId":12345678901234567890}',
      { traceId: '0000000000000000ab54a98ceb1f0ad2', attributes: '{"traceId":"12345678901234567890"}' },
    ],
  ];
  for (const [input, expected] of cases) assert.deepEqual({ ...event(input), ...expected }, event(input));
});

test('ids: the order is a setting, and the ids that are not chosen are kept', () => {
  const ordered = new Normalizer([], { idOrder: ['requestId', 'traceId'] });
  const idsOf = (input: object): unknown[] => {
    const { ok } = ordered.normalize(input as Record<string, unknown>, source, receivedAt) as {
      ok: LogEvent;
    };
    return [ok.correlationId, ok.correlationKind, ok.attributes];
  };
  assert.deepEqual(idsOf({ attributes: { a: 1, correlationId: 'c', requestId: 'r' } }), [
    'r',
    'requestId',
    '{"a":1,"correlationId":"c","requestId":"r"}',
  ]);
  assert.deepEqual(idsOf({ 'x-correlation-id': 'd', attributes: { correlationId: 'c', requestId: 'r' } }), [
    'r',
    'requestId',
    '{"attributes":{"correlationId":"c","requestId":"r"},"correlationId":"d","requestId":"r"}',
  ]);
  assert.deepEqual(idsOf({ correlation_id: 'c', traceId: 't', reqId: 'r' }), [
    'r',
    'requestId',
    '{"correlationId":"c","requestId":"r"}',
  ]);
  assert.deepEqual(idsOf({ sessionId: 's' }), [null, null, '{"sessionId":"s"}']);
});

test('levels', () => {
  const cases: [unknown, string][] = [
    ...(['WARNING', 'Warn', 'wrn', 40, '40', 49] as const).map((l): [unknown, string] => [l, 'warn']),
    ...(['crit', 'ALERT', 'emerg', 'Panic', 60, 99] as const).map((l): [unknown, string] => [l, 'fatal']),
    ...(['notice', 'Informational', '', null, 30, 'INFO2'] as const).map((l): [unknown, string] => [
      l,
      'info',
    ]),
    ...(['verbose', 'finest', 10, 9] as const).map((l): [unknown, string] => [l, 'trace']),
    // syslog's severities
    ...(['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'] as const).flatMap(
      (level, number): [unknown, string][] => [
        [number, level],
        [String(number), level],
      ],
    ),
  ];
  for (const [level, expected] of cases) assert.equal(event({ level, a: 1 }).level, expected, String(level));
  assert.equal(event({ severityNumber: 17 }).level, 'error');
  assert.equal(event({ severity_number: 17, severity_text: 'WARN' }).level, 'warn');
  assert.deepEqual(
    event({ lvl: 'odd', a: 1 }).attributes,
    '{"lvl":"odd","a":1,"parseNotes":["lvl: not a level"]}',
  );
  for (const level of [true, {}, []]) {
    const { attributes, ...read } = event({ level, a: 1 });
    assert.equal(read.level, 'info');
    assert.deepEqual(JSON.parse(attributes), { level, a: 1, parseNotes: ['level: not a level'] });
  }
});

test('times', () => {
  const micros = 1_675_079_461_822_717;
  const same: unknown[] = [
    '2023-01-30T11:51:01.822717Z',
    '2023-01-30T11:51:01.822717541Z',
    '2023-01-30 12:51:01,822717+01:00',
    1_675_079_461.822717,
    '1675079461.822717',
    micros,
    String(micros),
    '1675079461822717541',
  ];
  for (const timestamp of same) assert.equal(event({ timestamp }).timestamp, micros, String(timestamp));
  assert.equal(event('{"ts":1675079461822717541}').timestamp, micros);
  assert.equal(event({ time: 1_675_079_461_822 }).timestamp, 1_675_079_461_822_000);
  assert.equal(event({ date: 'Mon, 30 Jan 2023 11:51:01 +0000' }).timestamp, 1_675_079_461_000_000);
  assert.equal(event({ a: 1 }).timestamp, receivedAt * 1000);
  const received = (timestamp: unknown, ...notes: string[]): void => {
    const { timestamp: micros, attributes } = event({ timestamp, a: 1 });
    assert.equal(micros, receivedAt * 1000, String(timestamp));
    const expected = notes.length > 0 ? { timestamp, a: 1, parseNotes: notes } : { timestamp, a: 1 };
    assert.deepEqual(JSON.parse(attributes), expected);
  };
  for (const timestamp of ['yesterday', true, {}, '2023-01-30T11:51:71Z'])
    received(timestamp, 'timestamp: not a time');
  for (const timestamp of ['2026-01-02T00:00:01Z', 1e30]) received(timestamp, 'timestamp: time out of range');
  // Counters, durations, and times that were never set.
  for (const timestamp of [-1, 0, 34.5, '20230130', '1969-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '-'])
    received(timestamp);
});

test('what cannot be an event', () => {
  assert.equal(code('{}'), 'empty-event');
  assert.equal(code('[1]'), 'not-an-object');
  assert.equal(code('null'), 'not-an-object');
  assert.equal(code('{"a":'), 'bad-json');
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  assert.equal(event(nested(64)).attributes, nested(64));
  assert.equal(code(nested(65)), 'too-deep');
  assert.equal(code(nested(100_000)), 'too-deep');
  assert.equal(code(`{"n":12345678901234567890,"a":${nested(100_000)}}`), 'too-deep');
});

test('no event is refused for one field: the next name is tried, and what was not understood is noted', () => {
  const long = 'x'.repeat(257);
  const cases: [input: object, expected: object, attributes: object][] = [
    [{ service: 5, app: 'pay' }, { service: 'pay' }, { service: 5 }],
    [{ host: ['h'] }, { host: null }, { host: ['h'], parseNotes: ['host: not a text'] }],
    [{ service: long }, { service: 'unknown' }, { service: long, parseNotes: ['service: too long'] }],
    [
      { traceId: long, requestId: 'r' },
      { traceId: null, correlationId: 'r' },
      { traceId: long, requestId: 'r', parseNotes: ['traceId: too long'] },
    ],
    [
      { timestamp: 'soon', '@timestamp': '2025-01-01T00:00:00Z' },
      { timestamp: Date.parse('2025-01-01T00:00:00Z') * 1000 },
      { timestamp: 'soon' },
    ],
    [{ level: {}, severity: 'error', lvl: true }, { level: 'error' }, { level: {}, lvl: true }],
  ];
  for (const [input, expected, attributes] of cases) {
    const read = event(input);
    assert.deepEqual({ ...read, ...expected }, read);
    assert.deepEqual(JSON.parse(read.attributes), attributes);
  }
});

test('digits and characters are kept', () => {
  assert.equal(
    event(
      '{"a":9007199254740993,"b":[-12345678901234567890],"c":1e400,"d":0.1,"e":1e300,"s":"9007199254740993"}',
    ).attributes,
    '{"a":"9007199254740993","b":["-12345678901234567890"],"c":"1e400","d":0.1,"e":1e+300,"s":"9007199254740993"}',
  );
  assert.deepEqual(
    parseJson('{"a":9007199254740993,"b":[-12345678901234567890],"c":1e400,"d":-0.1E+999,"e":1e300}'),
    { a: '9007199254740993', b: ['-12345678901234567890'], c: '1e400', d: '-0.1E+999', e: 1e300 },
  );
  const findings = { tooDeep: false, rounded: false };
  assert.equal(jsonText([Infinity, -Infinity, NaN, -0], 1, findings), '["Infinity","-Infinity","NaN",-0]');
  assert.equal(
    event('{"message":"\\ud83d\\ude00 \\ud800 \\\\ud800","\\udc00":1}').message,
    '😀 \ufffd \\ud800',
  );
  assert.equal(event('{"\\udc00":1}').attributes, '{"\ufffd":1}');
});

const knownKeys = [
  'timestamp',
  'time',
  'level',
  'lvl',
  'message',
  'msg',
  'log',
  'service',
  'app',
  'host',
  'hostname',
  'traceId',
  'trace',
  'requestId',
  'req_id',
  'sessionId',
  'spanId',
  'attributes',
  '__proto__',
  'name',
];

const anyObject = fc.dictionary(
  fc.oneof(fc.constantFrom(...knownKeys), fc.string()),
  fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string(), fc.integer(), fc.constant('2023-01-01T00:00:00Z')),
);

test('any JSON object becomes an event or a coded error', () => {
  fc.assert(
    fc.property(anyObject, (input) => {
      const result = read(JSON.stringify(input));
      if ('code' in result) assert.ok(result.code in errors);
      else {
        assert.ok(levels.includes(result.level));
        assert.equal(typeof JSON.parse(result.attributes), 'object');
      }
    }),
    { numRuns: 500 },
  );
});

test('nothing is lost: each leaf is in a field or an attribute', () => {
  const leaf = fc.oneof(fc.string({ minLength: 1 }), fc.integer(), fc.boolean(), fc.double({ noNaN: true }));
  const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf), fc.constant('info'));
  // Times and levels are understood, not copied.
  const copied = knownKeys.filter((key) => !['timestamp', 'time', 'level', 'lvl'].includes(key));
  const keys = fc.oneof(fc.constantFrom(...copied), fc.string());
  fc.assert(
    fc.property(fc.dictionary(keys, value), (input) => {
      const text = JSON.stringify(input);
      const result = read(text);
      if ('code' in result) return;
      const found = new Set([...leaves(result), ...leaves(JSON.parse(result.attributes))]);
      if (typeof (input['message'] ?? input['msg']) === 'object')
        for (const inMessage of leaves(JSON.parse(result.message))) found.add(inMessage);
      for (const expected of leaves(JSON.parse(text)))
        // An id of zeros means that there is none.
        if (!/^0+$/.test(expected)) assert.ok(found.has(expected), `${expected} of ${text}`);
    }),
    { numRuns: 500 },
  );
});

function leaves(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.values(value).flatMap(leaves);
}

test('fields that a format has by itself win over every name; what stands under the names stays an attribute', () => {
  const given = {
    timestamp: 1.7e15,
    level: 'warn',
    message: 'm',
    service: 's',
    members: ',"scope":{"a":1}',
  } as const;
  const object = {
    level: 'error',
    msg: 'x',
    request_id: 'r',
    service: { name: 'n', version: '1' },
    host: 'h',
  };
  const result = normalizer.normalizeGiven(given, object, source, receivedAt);
  assert.ok('ok' in result);
  const { timestamp, level, message, service, host, correlationId, attributes } = result.ok;
  assert.deepEqual(
    [timestamp, level, message, service, host, correlationId],
    [1.7e15, 'warn', 'm', 's', 'h', 'r'],
  );
  assert.deepEqual(JSON.parse(attributes), {
    level: 'error',
    msg: 'x',
    requestId: 'r',
    service: { name: 'n', version: '1' },
    scope: { a: 1 },
  });
  const clash = normalizer.normalizeGiven(given, { attributes: { scope: 1 } }, source, receivedAt);
  assert.ok('ok' in clash);
  assert.equal(clash.ok.attributes, '{"attributes":{"scope":1},"scope":{"a":1}}');
  assert.equal('code' in normalizer.normalizeGiven({ members: ',"a":1' }, {}, source, receivedAt), true);
});

test("names of one's own come before the known ones, nested or dotted", () => {
  const { INGEST_FIELD_NAMES: names } = parseSettings({
    INGEST_FIELD_NAMES: 'timestamp=posted_at\nlevel=meta.grade\nservice=unit, part',
  });
  const own = new Normalizer([], { names });
  const input = {
    posted_at: '2025-01-01T00:00:00Z',
    time: 5,
    meta: { grade: 'warn', x: 1 },
    Part: 'pay',
    app: 'a',
  };
  const result = own.normalize(input, source, receivedAt);
  assert.ok('ok' in result);
  const { timestamp, level, service, attributes } = result.ok;
  assert.deepEqual(
    [timestamp, level, service, JSON.parse(attributes)],
    [
      Date.parse('2025-01-01T00:00:00Z') * 1000,
      'warn',
      'pay',
      { time: 5, meta: { grade: 'warn', x: 1 }, app: 'a' },
    ],
  );
  for (const INGEST_FIELD_NAMES of ['time=a', 'service', 'host=', 'level=a,,b'])
    assert.throws(() => parseSettings({ INGEST_FIELD_NAMES }), SettingsError, INGEST_FIELD_NAMES);
});

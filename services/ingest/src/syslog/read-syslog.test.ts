import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Normalizer } from '../event/normalize.ts';
import { timeZone } from '../text/time/time-zone.ts';
import { readSyslog } from './read-syslog.ts';

process.env['TZ'] = 'Europe/Berlin';

const receivedAt = Date.parse('2026-03-01T12:00:00Z');
const source = { kind: 'syslog', topic: 't', partition: 0, offset: 1, index: 0 };
const normalizer = new Normalizer(['\\b(req-[0-9a-f]+)\\b']);

function read(message: string | Buffer) {
  const event = readSyslog(Buffer.from(message as string), source, receivedAt, normalizer, '10.0.0.1');
  return {
    ...event,
    time: new Date(event.timestamp / 1000).toISOString(),
    attributes: JSON.parse(event.attributes) as Record<string, Record<string, unknown>>,
  };
}

type Expected = Partial<
  Record<'time' | 'level' | 'service' | 'host' | 'message' | 'correlationId', unknown>
> & {
  syslog?: object;
};

function check(message: string, expected: Expected): void {
  const event = read(message);
  const { syslog, ...fields } = expected;
  for (const [name, value] of Object.entries(fields))
    assert.equal(event[name as keyof typeof event], value, `${name} of ${message}`);
  if (syslog !== undefined) assert.deepEqual(event.attributes['syslog'], syslog, message);
}

const now = '2026-03-01T12:00:00.000Z';

test('a time without a zone is in that of the settings, and one with a zone in its own', () => {
  const inTokyo = new Normalizer([], { zone: timeZone('Asia/Tokyo') });
  for (const [text, time] of [
    ['<13>Feb 28 22:14:15 host app: x', '2026-02-28T13:14:15.000Z'],
    ['<13>2026-02-28 22:14:15 host app: x', '2026-02-28T13:14:15.000Z'],
    ['<13>1 2026-02-28T22:14:15 host app - - - x', '2026-02-28T13:14:15.000Z'],
    ['<13>2026-02-28T22:14:15Z host app: x', '2026-02-28T22:14:15.000Z'],
    ['<13>Feb 28 22:14:15 CET: x', '2026-02-28T21:14:15.000Z'],
  ] as const) {
    const { timestamp } = readSyslog(Buffer.from(text), source, receivedAt, inTokyo);
    assert.equal(new Date(timestamp / 1000).toISOString(), time, text);
  }
});

test('RFC 5424', () => {
  check("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed", {
    time: '2003-10-11T22:14:15.003Z',
    level: 'fatal',
    service: 'su',
    host: 'mymachine.example.com',
    message: "'su root' failed",
    syslog: { facility: 'auth', severity: 'crit', msgid: 'ID47' },
  });
  check(
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
    {
      time: '2003-08-24T12:14:15.000Z',
      level: 'info',
      message: "%% It's time to make the do-nuts.",
      syslog: { facility: 'local4', severity: 'notice', procid: '8710' },
    },
  );
  assert.equal(read('<165>1 2003-08-24T05:14:15.000003-07:00 h a - - - m').timestamp % 1000, 3);
  check(
    '<11>1 2003-10-11T22:14:15.003Z h app 7 m [a@1 x="\\"q\\"" x="2" y="a\\]b\\\\"][b@1 traceId="4bf9" requestId="r-1"] hi',
    {
      level: 'error',
      message: 'hi',
      correlationId: '4bf9',
      syslog: {
        facility: 'user',
        severity: 'err',
        procid: '7',
        msgid: 'm',
        structuredData: {
          'a@1': { x: ['"q"', '2'], y: 'a]b\\' },
          'b@1': { traceId: '4bf9', requestId: 'r-1' },
        },
      },
    },
  );
  assert.equal(read('<11>1 - h app 7 m [b@1 traceId="4bf9"] hi').traceId, '4bf9');
  check('<14>1 - - - - - -', { time: now, level: 'info', service: 'unknown', host: '10.0.0.1', message: '' });
  check('<14>1 - - - - - [a@1]', {
    message: '',
    syslog: { facility: 'user', severity: 'info', structuredData: { 'a@1': {} } },
  });
  // What is malformed stays in the message; the rest is read.
  check('<14>1 2003-10-11T22:14:15Z h app - - [a@1 x=1] hi', {
    host: 'h',
    service: 'app',
    message: '[a@1 x=1] hi',
  });
  check('<14>1 - h app - - - counted\nwith its newline\n', { message: 'counted\nwith its newline' });
  check('<14>1 yesterday h app - - - hi', { time: now, message: '1 yesterday h app - - - hi' });
  check('<134>1 1563249630.774247467 appliance urls src=1 dst=2', {
    time: '2019-07-16T04:00:30.774Z',
    host: 'appliance',
    message: 'urls src=1 dst=2',
  });
});

test('RFC 3164, as the field writes it', () => {
  // Without a zone: this process's, here an hour ahead of UTC in winter and two in summer.
  const winter = '2026-02-11T21:14:15.000Z';
  check("<34>Feb 11 22:14:15 mymachine su[231]: 'su root' failed", {
    time: winter,
    level: 'fatal',
    service: 'su',
    host: 'mymachine',
    message: "'su root' failed",
    syslog: { facility: 'auth', severity: 'crit', procid: '231' },
  });
  check('<13>Feb  1 22:14:15 h a/b.c: m', {
    time: '2026-02-01T21:14:15.000Z',
    service: 'a/b.c',
    message: 'm',
  });
  check('<13>Feb 11 22:14:15 su: no host', {
    time: winter,
    service: 'su',
    host: '10.0.0.1',
    message: 'no host',
  });
  check('<13>Feb 11 22:14:15 fe80::1 app: m', { host: 'fe80::1', service: 'app' });
  check('<13>Jul 11 2025 22:14:15.5 h a: m', { time: '2025-07-11T20:14:15.500Z', service: 'a' });
  check('<13>2025 Jul 11 22:14:15 h a: m', { time: '2025-07-11T20:14:15.000Z' });
  check('<13>Jul 11 22:14:15 2025 h a: m', { time: '2025-07-11T20:14:15.000Z', host: 'h' });
  check('<13>2025-07-11T22:14:15.003+02:00 h a[1]: m', {
    time: '2025-07-11T20:14:15.003Z',
    host: 'h',
    service: 'a',
  });
  check('<13>2025-07-11 22:14:15 h a[1]: m', { time: '2025-07-11T20:14:15.000Z', host: 'h' });
  // The year that brings it closest, but no more than a day ahead.
  check('<13>Mar  2 12:00:00 h a: m', { time: '2026-03-02T11:00:00.000Z' });
  check('<13>Mar  3 12:00:00 h a: m', { time: '2025-03-03T11:00:00.000Z' });
  check('<13>Feb 29 12:00:00 h a: m', { time: '2024-02-29T11:00:00.000Z' });
  check('Feb 11 22:14:15 h app: without a priority', { time: winter, level: 'info', service: 'app' });
  check('<11>app[7]: no time', { time: now, level: 'error', service: 'app', message: 'no time' });
  check('<11>no tag, see http://x', { service: 'unknown', message: 'no tag, see http://x' });
  check('<13>Feb 31 01:01:01 h a: m', {
    time: now,
    service: 'a',
    syslog: { facility: 'user', severity: 'notice', timestamp: 'Feb 31 01:01:01' },
  });
});

test("Cisco's devices", () => {
  check('<189>123: sw1: *Feb 11 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured from console', {
    time: '2026-02-11T18:48:50.483Z',
    service: 'SYS',
    host: 'sw1',
    message: '%SYS-5-CONFIG_I: Configured from console',
    syslog: { facility: 'local7', severity: 'notice', msgid: 'SYS-5-CONFIG_I', sequence: '123' },
  });
  check('<187>35: Feb 11 22:14:15: %LINK-3-UPDOWN: Interface up', {
    level: 'error',
    service: 'LINK',
    host: '10.0.0.1',
  });
  check('<189>35: .Feb 11 22:14:15 CET: %LINK-5-UPDOWN: up', { message: '%LINK-5-UPDOWN: up' });
  check('<166>Oct 11 2023 22:14:15: %ASA-6-302013: Built', {
    time: '2023-10-11T20:14:15.000Z',
    service: 'ASA',
  });
  check('<166>Oct 11 2023 22:14:15 fw1 : %ASA-6-302013: Built', { host: 'fw1', service: 'ASA' });
});

test('what is no syslog becomes an event with the text as its message', () => {
  for (const text of ['java.lang.X: foo', '    at a.b(C.java:1)', '<999>x', '<>', '<13', 'hello', '42'])
    check(text, { time: now, level: 'info', service: 'unknown', host: '10.0.0.1', message: text });
  check('about req-12ab', { correlationId: 'req-12ab' });
  const latin = read(Buffer.from('<11>app: Zür', 'latin1'));
  assert.deepEqual([latin.message, latin.attributes['syslog']!['encoding']], ['Zür', 'iso-8859-1']);
  const long = read(`<11>Feb 11 22:14:15 h ${'x'.repeat(300)}[1]: m`);
  assert.equal(long.level, 'error');
  assert.match(long.message, /x{300}/);
});

test('JSON in a message: its fields win, the header keeps what it said', () => {
  const event = read(
    '<14>Feb 11 22:14:15 h pod[7]: @cee: {"msg":"m","level":"error","service":"pay","time":"2026-02-11T10:00:00.123Z","n":12345678901234567890,"traceId":"4bf9"}',
  );
  assert.deepEqual(
    [event.time, event.level, event.service, event.host, event.message, event.correlationId],
    ['2026-02-11T10:00:00.123Z', 'error', 'pay', 'h', 'm', '4bf9'],
  );
  assert.deepEqual(event.attributes, {
    n: '12345678901234567890',
    syslog: {
      facility: 'user',
      severity: 'info',
      procid: '7',
      appname: 'pod',
      timestamp: '2026-02-11T21:14:15.000Z',
    },
  });
  check('<11>Feb 11 22:14:15 h pod: {"msg":"m","log":{"x":1}}', {
    level: 'error',
    service: 'pod',
    message: 'm',
  });
  for (const message of ['{broken}', '{}', '{"syslog":1}', '@cee: x'])
    check(`<11>Feb 11 22:14:15 h pod: ${message}`, { level: 'error', service: 'pod', message });
});

test('any bytes become an event', () => {
  const part = fc.constantFrom(
    '<13>',
    '<191>',
    '<192>',
    '1 ',
    '2026-02-11T22:14:15Z ',
    'Feb 11 22:14:15',
    ' h',
    ' app[1]: ',
    '- ',
    '[a@1',
    ' x="y\\"',
    '"]',
    '123: ',
    '*',
    ': ',
    '%ASA-6-1: ',
    '@cee: ',
    '{"a":',
    '"__proto__"',
    '1}',
    '\ufeff',
    '\ud800',
  );
  const text = fc
    .array(fc.oneof(part, fc.string()), { maxLength: 12 })
    .map((parts) => Buffer.from(parts.join('')));
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      (bytes) => {
        const event = readSyslog(bytes, source, receivedAt, normalizer);
        assert.ok(event.timestamp > 0);
        JSON.parse(event.attributes);
      },
    ),
    { numRuns: 3000 },
  );
});

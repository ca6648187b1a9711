import fc from 'fast-check';
import { openStackLog } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Normalizer } from '../event/normalize.ts';
import { readText } from './read-text.ts';
import { localContext } from './time/scan-parts.ts';

process.env['TZ'] = 'Europe/Berlin';
const receivedAt = Date.parse('2026-03-01T12:00:00Z');
const context = localContext(receivedAt);
const summer = '2025-07-11T20:14:15.123000Z';
const seconds = '2025-07-11T20:14:15.000000Z';

test('the common layouts', () => {
  const cases: [text: string, expected: object][] = [
    [
      'nova-api.log.1.2025-05-16_13:53:08 2025-07-11 22:14:15.123 25746 INFO nova.osapi.wsgi [req-1 a b] GET',
      {
        timestamp: summer,
        level: 'INFO',
        service: 'nova-api',
        message: '[req-1 a b] GET',
        process: { pid: 25746 },
        log: { logger: 'nova.osapi.wsgi' },
      },
    ],
    [
      '2025-07-11 22:14:15.123 7 ERROR nova.compute [-] x\nTraceback',
      {
        timestamp: summer,
        level: 'ERROR',
        message: '[-] x\nTraceback',
        process: { pid: 7 },
        log: { logger: 'nova.compute' },
      },
    ],
    [
      '1.2.3.4 - bob [11/Jul/2025:22:14:15 +0200] "GET /a?b=c HTTP/1.1" 502 17 "-" "curl/8"',
      {
        timestamp: seconds,
        level: 'error',
        message: '1.2.3.4 - bob [11/Jul/2025:22:14:15 +0200] "GET /a?b=c HTTP/1.1" 502 17 "-" "curl/8"',
        client: { address: '1.2.3.4' },
        http: {
          request: { method: 'GET' },
          response: { status_code: 502, body: { size: 17 } },
          version: '1.1',
        },
        url: { original: '/a?b=c' },
        user: { name: 'bob' },
        user_agent: { original: 'curl/8' },
      },
    ],
    [
      '2025/07/11 22:14:15 [error] 31#31: *1 open() failed',
      {
        timestamp: seconds,
        level: 'error',
        service: 'nginx',
        message: '*1 open() failed',
        process: { pid: 31 },
      },
    ],
    [
      '[Fri Jul 11 22:14:15.123 2025] [core:notice] [pid 9:tid 1] AH00094: x',
      {
        timestamp: summer,
        level: 'notice',
        service: 'apache',
        message: 'AH00094: x',
        process: { pid: 9 },
        log: { logger: 'core' },
      },
    ],
    [
      'Jul 11 22:14:15 web1 sshd[42]: Accepted',
      { timestamp: seconds, service: 'sshd', host: 'web1', message: 'Accepted', syslog: { procid: '42' } },
    ],
    [
      '2025-07-11T22:14:15.123+02:00 web1 sshd[42]: Accepted',
      { timestamp: summer, service: 'sshd', host: 'web1', message: 'Accepted', syslog: { procid: '42' } },
    ],
    [
      '2025-07-11 22:14:15,123 [main] INFO  com.foo.Bar - started',
      {
        timestamp: summer,
        level: 'INFO',
        message: 'started',
        log: { logger: 'com.foo.Bar' },
        thread: { name: 'main' },
      },
    ],
    [
      '2025-07-11 22:14:15,123 WARN  [http-1] c.f.Bar: slow',
      {
        timestamp: summer,
        level: 'WARN',
        message: 'slow',
        log: { logger: 'c.f.Bar' },
        thread: { name: 'http-1' },
      },
    ],
    [
      '2025-07-11T22:14:15.123+02:00  INFO 1234 --- [main] c.f.Bar   : up',
      {
        timestamp: summer,
        level: 'INFO',
        message: 'up',
        log: { logger: 'c.f.Bar' },
        thread: { name: 'main' },
        process: { pid: 1234 },
      },
    ],
    [
      '2025-07-11 22:14:15,123 - shop.cart - ERROR - no stock',
      { timestamp: summer, level: 'ERROR', message: 'no stock', log: { logger: 'shop.cart' } },
    ],
    [
      '2025-07-11 22:14:15,123 - root - ERROR - no stock',
      { timestamp: summer, level: 'ERROR', message: 'no stock', log: { logger: 'root' } },
    ],
    [
      '2025-07-11 22:14:15,123 ERROR no stock: x',
      { timestamp: summer, level: 'ERROR', message: 'no stock: x' },
    ],
    [
      '[2025-07-11 22:14:15,123] [error] no stock',
      { timestamp: summer, level: 'error', message: 'no stock' },
    ],
    [
      '2025-07-11T20:14:15.123Z the backup had no ERROR',
      { timestamp: summer, message: 'the backup had no ERROR' },
    ],
    ['WARNING:shop:low', { level: 'WARNING', message: 'low', log: { logger: 'shop' } }],
    [
      'E0211 22:14:15.123456   17 main.go:42] boom',
      {
        timestamp: '2026-02-11T21:14:15.123456Z',
        level: 'error',
        message: 'boom',
        process: { pid: 17 },
        log: { origin: 'main.go:42' },
      },
    ],
    [
      'time=2025-07-11T20:14:15Z level=warn msg="a \\"b\\"" n=7 id=0017 ok=true',
      { time: '2025-07-11T20:14:15.000000Z', level: 'warn', msg: 'a "b"', n: 7, id: '0017', ok: true },
    ],
    ['[ERROR] plain', { level: 'ERROR', message: '[ERROR] plain' }],
    ['just a=b c=d', { message: 'just a=b c=d' }],
    ['a=b c=d', { message: 'a=b c=d' }],
    ['time=soon msg=a', { time: 'soon', msg: 'a' }],
    ['2025-02-31 22:14:15 no such day', { message: '2025-02-31 22:14:15 no such day' }],
    // The normalizer decides what becomes of a time that cannot be right.
    ['2999-02-01 22:14:15Z far ahead', { timestamp: '2999-02-01T22:14:15.000000Z', message: 'far ahead' }],
    ['', { message: '' }],
  ];
  for (const [text, expected] of cases) assert.deepEqual(readText(text, context), expected, text);
});

test('any text becomes an event that ingest accepts', () => {
  const normalizer = new Normalizer([]);
  const source = { kind: 'http', topic: 'p', partition: 0, offset: 1, index: 0 };
  const part = fc.constantFrom(
    '2025-07-11 22:14:15,123',
    '[',
    '] ',
    ' - ',
    'ERROR',
    ' com.foo ',
    'level=',
    '"',
    'msg=a',
    ' ',
    '(',
    '1 --- ',
    ': ',
    'Jul 11 22:14:15 ',
    'host ',
    'app[1]: ',
    '"GET / HTTP/1.1" 200 1',
    '1.1.1.1 - - [11/Jul/2025:22:14:15 +0200] ',
  );
  const text = fc.array(fc.oneof(part, fc.string()), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (line) => {
      const result = normalizer.normalize(readText(line, context), source, receivedAt);
      assert.ok('ok' in result, `${JSON.stringify(line)}: ${JSON.stringify(result)}`);
    }),
    { numRuns: 3000 },
  );
});

test('a clock without a day is of the day on which the line came, also where the same line came before', () => {
  const line = "[09:26:53] [Server thread/WARN]: Can't keep up!";
  const reused = localContext(receivedAt);
  const days = [0, 1].map((days) => {
    reused.receivedAtMs = receivedAt + days * 86_400_000;
    return String(readText(line, reused)['timestamp']).slice(0, 10);
  });
  assert.deepEqual(days, ['2026-03-01', '2026-03-02']);
});

test('OpenStack as plain text', () => {
  const lines = openStackLog().trimEnd().split(/\r?\n/);
  for (const line of lines) {
    const { timestamp, level, service, message } = readText(line, context);
    assert.match(line, new RegExp(`^${String(service)}\\.log\\.`));
    assert.equal(
      new Date(String(timestamp)).getTime(),
      new Date(line.slice(line.indexOf(' ') + 1).slice(0, 23)).getTime(),
    );
    assert.ok(line.includes(` ${String(level)} `) && line.endsWith(String(message)));
  }
  assert.equal(lines.length, 2000);
});

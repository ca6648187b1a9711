import { loadRules, exampleRulesFile } from '@logloom/rules/rules-file';
import { parseMicros, type LogEvent } from '@logloom/schemas';
import { logEvent, recordedLines } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedEvent, type RecordedLine } from './testing/recorded-event.ts';
import { usualOptions } from './testing/usual-options.ts';
import { tryRules } from './try-rules.ts';

const loaded = loadRules(exampleRulesFile);
assert.ok(loaded.ok);
const { rules, warnings } = loaded;
const names = [...rules.rules, ...rules.windows].map(({ name }) => name);
const begin = parseMicros('2026-01-05T10:00:00Z');

/** An event so many seconds after the log's begin. */
interface Line {
  at: number;
  level?: LogEvent['level'];
  service?: string;
  host?: string;
  message?: string;
  request?: string;
  attributes?: Record<string, unknown>;
}

/** The names of the rules that fire. */
async function firing(given: readonly Line[]): Promise<string[]> {
  // What is judged is what the log's clock has passed.
  const lines = [...given, ...until(Math.max(...given.map(({ at }) => at)) + 120)];
  const events = lines
    .toSorted((a, b) => a.at - b.at)
    .map(
      ({ at, level = 'info', service = 'shop', host = 'a', message = 'work', request, attributes = {} }, i) =>
        logEvent(i, {
          timestamp: begin + Math.round(at * 1e6),
          level,
          service,
          host,
          message,
          traceId: request ?? null,
          correlationId: request ?? null,
          correlationKind: request === undefined ? null : 'traceId',
          attributes: JSON.stringify(attributes),
        }),
    );
  return fired(events);
}

async function fired(events: readonly LogEvent[]): Promise<string[]> {
  async function* each(): AsyncGenerator<LogEvent> {
    yield* events;
  }
  const trial = await tryRules(rules, each(), usualOptions);
  return [
    ...trial.rules.filter(({ alerts }) => alerts > 0),
    ...trial.windows.filter(({ alerts }) => alerts.length > 0),
  ].map(({ name }) => name);
}

const times = (count: number, line: (i: number) => Line): Line[] =>
  Array.from({ length: count }, (_, i) => line(i));
/** Requests of two events, one every `everyS` seconds; the second comes `tookS` later. */
const requests = (count: number, everyS: number, tookS: number, isError: (i: number) => boolean): Line[] =>
  times(count, (i) => ({ at: i * everyS, request: `r${i}` })).concat(
    times(count, (i) => ({ at: i * everyS + tookS, request: `r${i}`, level: isError(i) ? 'error' : 'info' })),
  );
/** Something that goes on at the end, so that what is missing is noticed. */
const until = (at: number): Line[] => times(Math.ceil(at / 60), (i) => ({ at: i * 60, service: 'clock' }));
const said = (count: number, everyS: number, message: string, attributes = {}): Line[] =>
  times(count, (i) => ({ at: 1 + i * everyS, message, attributes }));
const address = { client: { ip: '192.0.2.7' } };
const statuses = (name: string, failing: number): Line[] =>
  times(200, (i) => ({ at: i, attributes: { http: { [name]: i < failing ? 503 : 200 } } }));
const retries = (count: number): Line[] =>
  times(30, (i) => ({ at: i * 10, message: 'retrying' })).concat(
    times(count, (i) => ({ at: 300 + (i * 290) / count, message: 'payment failed, retrying (1 of 3)' })),
  );

/** For each rule, logs in which it fires, and others, not far from those, in which it does not. */
const logs: Record<string, { fires: Line[][]; stays: Line[][] }> = {
  'failing-requests': {
    fires: [requests(600, 1, 0.1, (i) => i % 10 === 0)],
    stays: [requests(600, 1, 0.1, (i) => i % 25 === 0), requests(30, 10, 0.1, (i) => i % 2 === 0)],
  },
  'server-errors': {
    fires: [statuses('status', 5), statuses('status_code', 5)],
    stays: [statuses('status', 2), statuses('method', 5)],
  },
  'errors-growing': {
    fires: [
      times(10, (i) => ({ at: i * 60, level: 'error' as const })).concat(
        times(60, (i) => ({ at: 600 + i * 10, level: 'error' as const })),
      ),
    ],
    stays: [times(180, (i) => ({ at: i * 10, level: 'error' as const }))],
  },
  'new-error': {
    fires: [
      times(65, (i) => ({ at: i * 60, level: 'error' as const, message: `order ${i} failed` })).concat([
        { at: 3800, level: 'error', message: 'cannot reach the bank' },
      ]),
    ],
    stays: [times(65, (i) => ({ at: i * 60, level: 'error' as const, message: `order ${i} failed` }))],
  },
  'retry-storm': { fires: [retries(200)], stays: [retries(60)] },
  'slow-requests': {
    fires: [requests(800, 1, 2.5, () => false)],
    stays: [requests(800, 1, 1.2, () => false), requests(50, 10, 2.5, () => false)],
  },
  'traffic-growing': {
    fires: [
      requests(600, 6, 0.1, () => false).concat(times(1500, (i) => ({ at: 3600 + i, request: `s${i}` }))),
    ],
    stays: [requests(4500, 1, 0.1, () => false)],
  },
  'queue-lag': {
    fires: [times(20, (i) => ({ at: i * 60, attributes: { lag: 1500 + i } }))],
    stays: [times(20, (i) => ({ at: i * 60, attributes: { lag: i % 5 === 0 ? 900 : 5000 } }))],
  },
  'service-silent': {
    fires: [[...times(60, (i) => ({ at: i * 10, service: 'orders' })), ...until(1800)]],
    stays: [[...times(3, (i) => ({ at: i * 840, service: 'orders' })), ...until(1800)]],
  },
  'request-unanswered': {
    fires: [[{ at: 0, request: 'r', attributes: { http: { method: 'GET' } } }, ...until(120)]],
    stays: [
      [
        { at: 0, request: 'r', attributes: { http: { method: 'GET' } } },
        { at: 20, request: 'r', attributes: { http: { method: 'GET', status: 200 } } },
        ...until(120),
      ],
    ],
  },
  'health-flapping': {
    fires: [times(10, (i) => ({ at: i * 60, message: i % 2 === 0 ? 'healthy' : 'unhealthy' }))],
    stays: [times(10, (i) => ({ at: i * 60, message: i < 5 ? 'healthy' : 'unhealthy' }))],
  },
  'out-of-memory': {
    fires: [
      said(1, 1, 'java.lang.OutOfMemoryError: Java heap space'),
      said(1, 1, 'FATAL ERROR: JavaScript heap out of memory'),
      said(1, 1, 'shop invoked oom-killer: gfp_mask=0x100cca'),
      said(1, 1, 'fork: Cannot allocate memory'),
    ],
    stays: [said(1, 1, 'memory is out of date')],
  },
  'disk-full': {
    fires: [
      said(1, 1, "ENOSPC: no space left on device, write '/var/log/a'"),
      said(1, 1, 'database or disk is full'),
    ],
    stays: [said(1, 1, 'disk 60 % full')],
  },
  'connection-refused': {
    fires: [
      said(12, 10, 'connect ECONNREFUSED 127.0.0.1:5432'),
      said(12, 10, 'dial tcp: connection refused'),
    ],
    stays: [said(12, 60, 'dial tcp: connection refused')],
  },
  'certificate-expiry': {
    fires: [
      said(1, 1, 'x509: certificate has expired or is not yet valid'),
      said(1, 1, 'the certificate of shop.example expires in 13 days'),
    ],
    stays: [said(1, 1, 'certificate renewed')],
  },
  deadlock: {
    fires: [said(3, 60, 'ERROR: deadlock detected'), said(3, 60, 'Deadlock found when trying to get lock')],
    stays: [said(2, 60, 'ERROR: deadlock detected')],
  },
  'failing-logins': {
    fires: [said(25, 10, 'Failed password for root from 192.0.2.7 port 22 ssh2', address)],
    stays: [
      said(25, 60, 'Failed password for root from 192.0.2.7 port 22 ssh2', address),
      times(25, (i) => ({ at: i, message: 'login failed', attributes: { client: { ip: `192.0.2.${i}` } } })),
    ],
  },
  'guessed-password': {
    fires: [
      [
        ...said(5, 10, 'login failed', address),
        { at: 70, message: 'Accepted password', attributes: address },
      ],
    ],
    stays: [
      [
        ...said(4, 10, 'login failed', address),
        { at: 70, message: 'Accepted password', attributes: address },
      ],
      [
        ...said(5, 10, 'login failed', address),
        { at: 70, message: 'Accepted password', attributes: { client: { ip: '192.0.2.8' } } },
      ],
    ],
  },
};

test('the examples are rules without a warning, each with a description, a severity and labels', () => {
  assert.deepEqual(warnings, []);
  for (const { name, message, severity, labels } of [...rules.rules, ...rules.windows]) {
    assert.notEqual(message, name);
    assert.ok(severity !== null && Object.keys(labels).length > 0, name);
  }
  assert.deepEqual(names.toSorted(), Object.keys(logs).toSorted());
});

for (const [name, { fires, stays }] of Object.entries(logs))
  test(`${name} fires where it should, and not near it`, async () => {
    for (const [i, lines] of fires.entries()) assert.ok((await firing(lines)).includes(name), `fires ${i}`);
    for (const [i, lines] of stays.entries()) assert.ok(!(await firing(lines)).includes(name), `stays ${i}`);
  });

test('none fires while a real shop runs well', async () => {
  const lines = recordedLines(8000).map((text) => JSON.parse(text) as RecordedLine);
  const failed = new Set(
    lines.filter(({ level }) => level === 'error').map(({ traceId, message }) => traceId ?? message),
  );
  const quiet = lines.filter(({ traceId, message }) => !failed.has(traceId ?? message));
  assert.ok(quiet.length > 100);
  const events = quiet.map(recordedEvent);
  assert.deepEqual(await fired(events.toSorted((a, b) => a.timestamp - b.timestamp)), []);
});

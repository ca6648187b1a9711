import { Normalizer, readEvent } from '@logloom/ingest';
import { importRules, ingestedFields, noMapping } from '@logloom/rules/import';
import { parseRules } from '@logloom/rules/rules-file';
import type { LogEvent } from '@logloom/schemas';
import { logEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualOptions } from './testing/usual-options.ts';
import { tryRules } from './try-rules.ts';

interface Line {
  at: number;
  service: string;
  message: string;
  address: string;
  user: string;
  status: number;
}

const minute = 60;
const addresses = ['a', 'b', 'c', 'd', 'e'];

/** An hour of logins: from some addresses in bursts, from others slowly, of one or many users. */
const log: Line[] = [
  // Twelve failures within two minutes, one user.
  ...times(12, (i) => ({ at: 600 + i * 10, address: 'a', user: 'root', message: 'login failed' })),
  // As many, each of another user.
  ...times(12, (i) => ({ at: 900 + i * 10, address: 'b', user: `u${i}`, message: 'login failed' })),
  // Nine, but within most of the hour.
  ...times(9, (i) => ({ at: 30 + i * 290, address: 'c', user: `u${i}`, message: 'login failed' })),
  // Two failures and a success, and a success long before a failure.
  ...times(2, (i) => ({ at: 1800 + i * 5, address: 'd', user: 'jo', message: 'login failed' })),
  { at: 1830, address: 'd', user: 'jo', message: 'login succeeded' },
  { at: 100, address: 'e', user: 'al', message: 'login succeeded' },
  { at: 2400, address: 'e', user: 'al', message: 'login failed' },
  // Nothing for a quarter of an hour.
  { at: 3300, address: 'e', user: 'al', message: 'login succeeded' },
]
  .map((line) => ({ service: 'auth', status: 0, ...line }))
  // A shop in which every fourth request fails for ten minutes.
  .concat(
    times(700, (i) => ({
      at: i * 5,
      service: i % 2 === 0 ? 'shop' : 'search',
      address: 'f',
      user: 'x',
      message: 'request',
      status: i % 8 === 0 && i > 300 && i < 420 ? 500 : 200,
    })),
  )
  .sort((a, b) => a.at - b.at);

function times<T>(count: number, line: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => line(i));
}

const sigma = `
title: Failures
name: failures
logsource: {}
detection: { selection: { Message|contains: failed }, condition: selection }
---
title: Successes
name: successes
logsource: {}
detection: { selection: { Message|contains: succeeded }, condition: selection }
---
title: Many failures
correlation: { type: event_count, rules: [failures], group-by: [address], timespan: 5m, condition: { gte: 10 } }
---
title: Many users
correlation: { type: value_count, rules: [failures], group-by: [address], timespan: 5m, condition: { field: user, gt: 5 } }
---
title: Failure then success
correlation: { type: temporal_ordered, rules: [failures, successes], group-by: [address], timespan: 10m }
---
title: Old count
logsource: {}
detection: { selection: { Message|contains: failed }, timeframe: 5m, condition: selection | count() by address > 11 }
`;
const ruler = `
groups:
  - name: shop
    rules:
      - alert: Errors
        expr: |
          sum by (app) (rate({app=~"shop|search"} | json | status >= 500 [5m]))
            / sum by (app) (rate({app=~"shop|search"} | json [5m])) > 0.2
      - alert: Silent
        expr: absent_over_time({app="auth"}[6m])
      - alert: Busy
        expr: sum by (app) (count_over_time({app=~".+"}[5m])) > 25
`;

/** The most that a key has within so many seconds of the log, by looking at every event. */
function most(
  lines: readonly Line[],
  key: (line: Line) => string,
  seconds: number,
  measure: (inside: Line[]) => number,
): Map<string, number> {
  const found = new Map<string, number>();
  for (const last of lines) {
    const inside = lines.filter(
      (line) => key(line) === key(last) && line.at <= last.at && line.at > last.at - seconds,
    );
    found.set(key(last), Math.max(found.get(key(last)) ?? -Infinity, measure(inside)));
  }
  return found;
}

const above = (found: Map<string, number>, holds: (value: number) => boolean): string[] =>
  [...found]
    .filter(([, value]) => holds(value))
    .map(([key]) => key)
    .sort();

const failed = log.filter(({ message }) => message.includes('failed'));
const byAddress = (line: Line): string => line.address;
const byService = (line: Line): string => line.service;

/** The keys of each rule's alerts, counted without rules. */
const expected: Record<string, string[]> = {
  'Many-failures': above(
    most(failed, byAddress, 5 * minute, (inside) => inside.length),
    (n) => n >= 10,
  ),
  'Many-users': above(
    most(failed, byAddress, 5 * minute, (inside) => new Set(inside.map(({ user }) => user)).size),
    (n) => n > 5,
  ),
  'Failure-then-success': addresses.filter((address) =>
    log.some(
      (line) =>
        line.address === address &&
        line.message.includes('succeeded') &&
        failed.some(
          (before) => before.address === address && before.at < line.at && before.at >= line.at - 10 * minute,
        ),
    ),
  ),
  'Old-count': above(
    most(failed, byAddress, 5 * minute, (inside) => inside.length),
    (n) => n > 11,
  ),
  Errors: above(
    most(
      log.filter(({ status }) => status > 0),
      byService,
      5 * minute,
      (inside) =>
        inside.length < 25 ? 0 : inside.filter(({ status }) => status >= 500).length / inside.length,
    ),
    (share) => share > 0.2,
  ),
  Silent: [''],
  Busy: above(
    most(log, byService, 5 * minute, (inside) => inside.length),
    (n) => n > 25,
  ),
};

test('imported rules raise the alerts that their originals would, by an independent count', async () => {
  const { yaml, rules, problems } = importRules(
    [
      { name: 'sigma.yml', text: sigma },
      { name: 'ruler.yml', text: ruler },
    ],
    noMapping,
  );
  assert.deepEqual(problems, []);
  for (const { title, reason, differences } of rules)
    assert.deepEqual([title, reason, differences], [title, '', []]);
  const parsed = parseRules(yaml);
  assert.ok(parsed.ok, yaml);
  const { rules: set } = parsed;
  async function* events(): AsyncGenerator<LogEvent> {
    const begin = Date.parse('2026-01-05T10:00:00Z') * 1000;
    for (const [i, { at, service, message, ...attributes }] of log.entries())
      yield logEvent(i, {
        timestamp: begin + at * 1e6,
        service,
        message,
        attributes: JSON.stringify(attributes),
      });
  }
  const { windows } = await tryRules(set, events(), usualOptions);
  const raised = windows.map(({ name, alerts }) => [
    name,
    [...new Set(alerts.map(({ key }) => Object.values(key).join()))].sort(),
  ]);
  assert.deepEqual(Object.fromEntries(raised), expected);
  for (const keys of Object.values(expected)) assert.ok(keys.length > 0);
  const silent = windows.find(({ name }) => name === 'Silent')!.alerts;
  // Of the hour, auth logs nothing for more than six minutes in these places.
  const gaps = log
    .filter(({ service }) => service === 'auth')
    .map(({ at }, i, all) => (i === 0 ? at : at - all[i - 1]!.at))
    .filter((gap) => gap > 6 * minute + 20);
  assert.equal(silent.filter(({ to }) => to !== undefined).length, gaps.length);
});

test('names that a rule may have for a field are those that ingest knows', () => {
  const normalizer = new Normalizer([]);
  const source = { kind: 'http', topic: 'test', partition: 0, offset: 0, index: 0 };
  for (const [name, field] of Object.entries(ingestedFields)) {
    const value = field === 'level' ? 'error' : '4bf92f3577b34da6a3ce929d0e0e4736';
    const event = readEvent(JSON.stringify({ [name]: value }), source, 0, normalizer);
    assert.ok(!('code' in event), name);
    const fields: Record<string, unknown> = { ...(JSON.parse(event.attributes) as object), ...event };
    assert.equal(fields[field], value, name);
  }
});

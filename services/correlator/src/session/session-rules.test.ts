import { parseRules } from '@logloom/rules/rules-file';
import type { Alert, Correlation, Level } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Correlate, type CorrelateOptions, type InputRecord } from '../correlate.ts';

const options: CorrelateOptions = {
  idleMs: 50,
  maxMs: 900,
  graceMs: 120,
  maxEvents: 100,
  maxSessions: 1000,
  memoryBytes: 1e9,
};

interface Line {
  /** The log's clock, ms. */
  at: number;
  /** The event's own time, ms; default `at`. */
  time?: number;
  message?: string;
  level?: Level;
  service?: string;
  attributes?: object;
  /** Rules instead of an event. */
  rules?: string;
}

function rulesOf(text: string) {
  const result = parseRules(text);
  assert.ok(result.ok, JSON.stringify(result));
  return result.rules;
}

/** Runs the lines of one session under the rules, and then lets everything run out. */
function run(rules: string, lines: Line[], opts = options): { documents: Correlation[]; alerts: Alert[] } {
  const correlate = new Correlate(0, opts, { rules: rulesOf(rules) });
  const documents: Correlation[] = [];
  const alerts: Alert[] = [];
  const end = lines.at(-1)!.at;
  const ticks = [60, 130, 200, 2000, 5000, 10_000].map((ms): Line => ({ at: end + ms }));
  [...lines, ...ticks].forEach((line, offset) => {
    const isEvent = offset < lines.length && line.rules === undefined;
    const record: InputRecord = {
      offset,
      timestampMs: line.at,
      event: !isEvent
        ? null
        : {
            source: { kind: 'http', topic: 'p', partition: 0, offset, index: 0 },
            timestamp: (line.time ?? line.at) * 1000,
            level: line.level ?? 'info',
            service: line.service ?? 's',
            host: null,
            message: line.message ?? 'm',
            correlationId: 'a',
            correlationKind: 'requestId',
            traceId: null,
            spanId: null,
            attributes: JSON.stringify(line.attributes ?? {}),
          },
    };
    if (line.rules !== undefined) record.rules = rulesOf(line.rules);
    correlate.apply(record, documents, alerts);
  });
  assert.deepEqual([correlate.openSessions, correlate.openWaits, correlate.lowWaterMark], [0, 0, null]);
  return { documents, alerts };
}

const matched = (rules: string, lines: Line[], opts?: CorrelateOptions): string[][] =>
  run(rules, lines, opts).documents.map((d) => [`r${d.revision}`, d.closeReason, ...d.rules]);

test('three errors from two services: the document says so, with severity, labels and one alert', () => {
  const rules = `rules:
    - { name: spread, description: errors spread, when: 'level:error', count: 3, distinct: { field: service, count: 2 },
        severity: high, labels: { team: shop, tier: '1' }, webhook: 'http://127.0.0.1:9/hook' }
    - { name: any, when: 'level:error', severity: low, labels: { team: pay } }`;
  const error = (at: number, service: string): Line => ({ at, service, level: 'error' });
  const { documents, alerts } = run(rules, [error(0, 'a'), error(1, 'a'), error(2, 'a'), error(3, 'b')]);
  assert.deepEqual(
    documents.map((d) => [d.rules, d.severity, d.labels, d.alerts]),
    [[['any', 'spread'], 'high', { team: 'pay', tier: '1' }, ['spread']]],
  );
  const [{ id, rule, message, severity, webhook, at, errorCount }] = alerts as [Alert];
  assert.deepEqual(
    [alerts.length, id, rule, message, severity, webhook, at, errorCount],
    [1, 'log-0-0-r1-spread', 'spread', 'errors spread', 'high', 'http://127.0.0.1:9/hook', 63, 4],
  );
  assert.deepEqual(matched(rules, [error(0, 'a'), error(1, 'a'), error(2, 'a')]), [['r1', 'idle', 'any']]);
  assert.deepEqual(matched(rules, [error(0, 'a'), error(1, 'b')]), [['r1', 'idle', 'any']]);
});

test('distinct counts the values of an attribute, also of a list', () => {
  const rules = `rules: [{ name: users, when: '*', distinct: { field: attributes.user, count: 3 } }]`;
  const user = (at: number, ...users: string[]): Line => ({ at, attributes: { user: users } });
  assert.deepEqual(matched(rules, [user(0, 'a', 'b'), user(1, 'b', 'c')]), [['r1', 'idle', 'users']]);
  assert.deepEqual(matched(rules, [user(0, 'a', 'b'), user(1, 'b')]), [['r1', 'idle']]);
});

test('a late event that completes a count gives a revision with the alert; the next does not repeat it', () => {
  const rules = `rules: [{ name: two, when: 'level:error', count: 2, alert: true }]`;
  const error = (at: number): Line => ({ at, level: 'error' });
  const { documents, alerts } = run(rules, [error(0), error(70), error(140)]);
  assert.deepEqual(
    documents.map((d) => [d.revision, d.rules, d.alerts]),
    [
      [1, [], []],
      [2, ['two'], ['two']],
      [3, ['two'], []],
    ],
  );
  assert.deepEqual(
    alerts.map((a) => a.id),
    ['log-0-0-r2-two'],
  );
});

describe('close', () => {
  test('true: closes at once, and a late event revises', () => {
    const rules = `rules: [{ name: end, when: 'message:end', close: true }]`;
    assert.deepEqual(
      matched(rules, [{ at: 0 }, { at: 1, message: 'end' }, { at: 2 }, { at: 3, message: 'end' }]),
      [
        ['r1', 'rule', 'end'],
        ['r2', 'rule', 'end'],
      ],
    );
  });

  test('final: the next event starts another document', () => {
    const rules = `rules: [{ name: logout, when: 'message:logout', close: final }]`;
    const { documents } = run(rules, [{ at: 0 }, { at: 1, message: 'logout' }, { at: 2 }]);
    assert.deepEqual(
      documents.map((d) => [d.id, d.closeReason, d.final]),
      [
        ['log-0-0', 'rule', true],
        ['log-0-2', 'idle', false],
      ],
    );
  });
});

describe('A then B within a time', () => {
  const rules = `rules: [{ name: seq, when: 'message:a', then: 'message:b', within: 20ms }]`;
  const says = (lines: Line[]): boolean => run(rules, lines).documents.at(-1)!.rules.includes('seq');

  test('by the events’ own times, in whatever order they arrive', () => {
    assert.equal(
      says([
        { at: 0, message: 'a' },
        { at: 20, message: 'b' },
      ]),
      true,
    );
    assert.equal(
      says([
        { at: 0, message: 'a' },
        { at: 21, message: 'b' },
      ]),
      false,
    );
    assert.equal(
      says([
        { at: 0, message: 'b' },
        { at: 1, message: 'a' },
      ]),
      false,
    );
    assert.equal(
      says([
        { at: 10, time: 9, message: 'b' },
        { at: 11, time: 5, message: 'a' },
      ]),
      true,
    );
    assert.equal(
      says([
        { at: 0, message: 'a' },
        { at: 30, message: 'a' },
        { at: 45, message: 'b' },
      ]),
      true,
    );
    assert.equal(says([{ at: 0, message: 'a b' }]), false, 'one event does not follow itself');
    assert.equal(
      says([
        { at: 0, message: 'a' },
        { at: 0, message: 'b' },
      ]),
      true,
      'equal times: the log counts',
    );
    assert.equal(
      says([
        { at: 0, message: 'b' },
        { at: 0, message: 'a' },
      ]),
      false,
    );
  });
});

describe('A without B within a time', () => {
  const rules = (within: string): string =>
    `rules: [{ name: hung, when: 'message:a', without: 'message:b', within: ${within}, alert: true }]`;

  test('that runs out while the session is open is in its document', () => {
    const lines = [{ at: 0, message: 'a' }, { at: 25 }];
    assert.deepEqual(matched(rules('20ms'), lines), [['r1', 'idle', 'hung']]);
    assert.deepEqual(
      matched(rules('20ms'), [
        { at: 0, message: 'a' },
        { at: 20, time: 20, message: 'b' },
      ]),
      [['r1', 'idle', 'hung']],
      'the wait ended with the record that brought it',
    );
    assert.deepEqual(
      matched(rules('20ms'), [
        { at: 0, message: 'a' },
        { at: 19, message: 'b' },
      ]),
      [['r1', 'idle']],
    );
  });

  test('that runs out after the close gives a revision and its alert', () => {
    const { documents, alerts } = run(rules('100ms'), [{ at: 0, message: 'a' }]);
    assert.deepEqual(
      documents.map((d) => [d.revision, d.closeReason, d.rules, d.memberDeltas.length]),
      [
        [1, 'idle', [], 1],
        [2, 'rule', ['hung'], 1],
      ],
    );
    assert.deepEqual(
      alerts.map((a) => [a.id, a.revision]),
      [['log-0-0-r2-hung', 2]],
    );
  });

  test('keeps the session for what it waits for, beyond its grace time', () => {
    const lines = [{ at: 0, message: 'a' }, { at: 1000 }, { at: 2000, message: 'b' }];
    assert.deepEqual(
      run(rules('3s'), lines).documents.map((d) => [d.id, d.revision, d.rules]),
      [
        ['log-0-0', 1, []],
        ['log-0-0', 2, []],
        ['log-0-0', 3, []],
      ],
    );
  });

  test('waits for each A of its own', () => {
    const lines = [
      { at: 0, message: 'a' },
      { at: 10, message: 'b' },
      { at: 30, message: 'a' },
    ];
    assert.deepEqual(matched(rules('20ms'), lines), [['r1', 'idle', 'hung']]);
  });

  test('B may arrive first', () => {
    assert.deepEqual(
      matched(rules('20ms'), [
        { at: 10, time: 10, message: 'b' },
        { at: 11, time: 5, message: 'a' },
      ]),
      [['r1', 'idle']],
    );
  });

  test('is not decided for a session that ends for good before', () => {
    const full = { ...options, maxEvents: 1 };
    assert.deepEqual(matched(rules('20ms'), [{ at: 0, message: 'a' }], full), [['r1', 'size']]);
  });

  test('closes an open session where the rule says so', () => {
    const closing = `rules: [{ name: hung, when: 'message:a', without: 'message:b', within: 20ms, close: true }]`;
    const { documents } = run(closing, [{ at: 0, message: 'a' }, { at: 15 }, { at: 30 }]);
    assert.deepEqual(
      documents.map((d) => [d.closeReason, d.closeOffset, d.memberDeltas.length]),
      [
        ['rule', 2, 2],
        ['idle', 3, 3],
      ],
    );
  });
});

test('a session keeps the rules of its first event; the next one has the new', () => {
  const a = `rules: [{ name: one, when: 'message:m' }]`;
  const b = `rules: [{ name: other, when: 'message:m' }]`;
  const { documents } = run(a, [
    { at: 0, message: 'x' },
    { at: 1, rules: b },
    { at: 2 },
    { at: 60, rules: b },
    { at: 500, rules: b },
    { at: 600 },
  ]);
  assert.deepEqual(
    documents.map((d) => [d.rules, d.rulesVersion]),
    [
      [['one'], rulesOf(a).version],
      [['other'], rulesOf(b).version],
    ],
  );
});

test('an alert has the severity and labels of its own rule, the document those of all', () => {
  const { documents, alerts } = run(
    `rules:
    - { name: slow, when: 'message:slow', severity: low, labels: { team: web, kind: speed }, alert: true }
    - { name: lost, when: 'level:error', severity: critical, labels: { team: core }, alert: true }
    - { name: plain, when: 'level:error', alert: true }`,
    [
      { at: 0, message: 'slow' },
      { at: 1, level: 'error' },
    ],
  );
  assert.deepEqual(
    alerts.map(({ rule, severity, labels }) => [rule, severity, labels]),
    [
      ['slow', 'low', { kind: 'speed', team: 'web' }],
      ['lost', 'critical', { team: 'core' }],
      ['plain', null, {}],
    ],
  );
  assert.deepEqual(
    [documents[0]!.severity, documents[0]!.labels],
    ['critical', { kind: 'speed', team: 'core' }],
  );
});

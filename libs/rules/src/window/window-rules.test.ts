import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRules, type RuleSet } from '../parse-rules.ts';
import { messageTemplate } from './message-template.ts';
import { stepOf } from './step.ts';

function read(text: string): RuleSet {
  const result = parseRules(text);
  assert.deepEqual(result.ok ? [] : result.problems, []);
  assert.ok(result.ok);
  return result.rules;
}

function problemsOf(rule: string): string[] {
  const result = parseRules(`rules:\n  - name: r\n${rule.replaceAll(/^/gm, '    ')}\n`);
  assert.ok(!result.ok, rule);
  return result.problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
}

const warningsOf = (rule: string): string[] => {
  const result = parseRules(`rules:\n  - name: r\n${rule.replaceAll(/^/gm, '    ')}\n`);
  assert.ok(result.ok, rule);
  return result.warnings.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
};

test('rules over one session and over many events stand in one file, in order', () => {
  const { rules, windows } = read(`rules:
  - { name: a, when: level:error, window: 5m, if: count > 3 }
  - { name: b, when: level:error, alert: true }
  - { name: c, when: 'message:failed', times: 3, then: 'message:accepted', by: [host], within: 10m }
`);
  assert.deepEqual(
    [rules, windows].map((list) => list.map(({ name, index }) => [name, index])),
    [
      [['b', 1]],
      [
        ['a', 0],
        ['c', 2],
      ],
    ],
  );
  assert.deepEqual(windows[1]!.sequence, { kind: 'then', times: 3, withinMs: 600_000 });
});

test('a condition keeps of each step what its parts need, once', () => {
  const [rule] = read(`rules:
  - name: slow
    of: requests
    when: service:*
    by: [service]
    window: { tumbling: 1h }
    if: p95(durationMs) > 2s and ratio(errorCount:>0) >= 5% and count(errorCount:>0) > 1 and rate > 10/m
    until: p95(durationMs) < 1s
    for: 2h
`).windows;
  assert.deepEqual(
    rule!.columns.map(({ type }) => type),
    ['quantile', 'passing'],
  );
  const [column] = rule!.columns;
  assert.ok(column?.type === 'quantile');
  assert.deepEqual(column.bounds, [
    { value: 2000, inclusive: true },
    { value: 1000, inclusive: false },
  ]);
  assert.deepEqual([rule!.windowMs, rule!.stepMs, rule!.forMs], [3_600_000, 3_600_000, 7_200_000]);
  assert.equal(rule!.conditionText.endsWith('in 1h'), true);
});

test('steps divide the window', () => {
  const minute = 60_000;
  assert.deepEqual(
    [1000, 30_000, minute, 5 * minute, 7 * minute, 60 * minute, 24 * 60 * minute].map(stepOf),
    [1000, 1000, 2000, 10_000, 10_000, 120_000, 300_000],
  );
});

test('a rule keeps its id while what it decides by stays the same', () => {
  const id = (rest: string): string =>
    read(`rules: [{ name: a, when: 'level:error', window: 5m, ${rest} }]`).windows[0]!.id;
  const before = id('if: count > 3');
  assert.equal(id('if: count > 3, severity: high, labels: { team: x }, description: d'), before);
  assert.notEqual(id('if: count > 4'), before);
  assert.notEqual(id('if: count > 3, by: [service]'), before);
});

test('each problem of a condition has its place', () => {
  const base = 'when: level:error\nwindow: 5m\n';
  const cases: [string, RegExp][] = [
    ['if: cont > 3', /^5:9 bad-rule if: there is no cont/],
    ['if: count = 3', /^5:15 bad-rule if: >, >=/],
    ['if: count > many', /^5:17 bad-rule if: a number/],
    ['if: count > 3 or rate > 1/s', /^5:19 bad-rule if: `and`/],
    ['if: rate > 3', /^5:16 bad-rule if: a rate is per/],
    ['if: ratio(level:error) > 0.5', /bad-rule if: a ratio is compared with a percentage/],
    ['if: ratio(level:worst) > 5%', /^5:\d+ bad-rule-filter if: /],
    ['if: ratio(level:error > 5%', /^5:14 bad-rule if: the parenthesis/],
    ['if: p95 > 3', /^5:12 bad-rule if: p95 needs a field/],
    ['if: p95(a b) > 3', /takes the name of a field/],
    ['if: count > 200 of previous', /takes a percentage/],
    ['if: p95(ms) > 200% of previous', /is not compared with another window/],
    ['if: count > 3weeks', /plain number/],
    ['if: avg(ms) > 3weeks', /no unit of time/],
    ['if: new(user) and count > 3', /`new` stands alone/],
  ];
  for (const [text, pattern] of cases) {
    const problems = problemsOf(base + text);
    assert.match(problems[0]!, pattern, text);
    assert.equal(problems.length, 1, problems.join('\n'));
  }
});

test('parts that do not go together are problems', () => {
  const cases: [string, RegExp][] = [
    ['when: "*"\nwindow: 5m', /if: it must say when/],
    ['when: "*"\nif: count > 1', /window: it must say the time/],
    ['when: "*"\nwindow: 25h\nif: count > 1', /at most 24h/],
    ['when: "*"\nwindow: 1500ms\nif: count > 1', /whole seconds/],
    ['when: "*"\nwindow: { tumbling: 7m }\nif: count > 1', /divides a day/],
    ['when: "*"\nwindow: 5m\nif: count > 1\nclose: true', /closes no session/],
    ['when: "*"\nwindow: 5m\ncount: 3\nif: count > 1', /if: count >= 3/],
    ['when: "*"\nby: [host]\nthen: level:error', /`within` must say/],
    ['when: "*"\nby: [host, host]\nwindow: 5m\nif: count > 1', /named twice/],
    ['when: "*"\nuntil: count < 1', /it belongs to a rule with `window`/],
    ['when: "*"\nby: [host]\nthen: level:error\nwithin: 5m\nif: count > 1', /has none; its time/],
  ];
  for (const [text, pattern] of cases) assert.match(problemsOf(text).join('\n'), pattern, text);
});

test('fields that requests do not have are errors; doubtful fields of events are warnings with a hint', () => {
  const requests = 'of: requests\nwindow: 5m\nby: [service]\n';
  assert.match(
    problemsOf(`${requests}when: host:a\nif: count > 1`)[0]!,
    /^6:11 unknown-rule-field when: .*no field host/,
  );
  assert.match(
    problemsOf(`${requests}when: '*'\nif: p95(duration) > 1s`)[0]!,
    /^7:13 unknown-rule-field if: /,
  );
  assert.match(
    problemsOf('of: requests\nwindow: 5m\nby: [hots]\nwhen: "*"\nif: count > 1')[0]!,
    /^5:10 unknown-rule-field by/,
  );
  assert.match(problemsOf(`${requests}when: failed\nif: count > 1`)[0]!, /no field message/);
  assert.match(
    problemsOf(`${requests}when: '*'\nif: ratio(status:>500) > 1%`)[0]!,
    /^7:15 unknown-rule-field if: .*status/,
  );
  read(`rules: [{ name: a, of: requests, when: 'labels.team:x', window: 5m, if: max(eventCount) > 9 }]`);

  const events = 'window: 5m\nwhen: level:error\n';
  assert.match(
    warningsOf(`${events}if: avg(durationMs) > 1s`)[0]!,
    /^5:13 unknown-rule-field if: .*`of: requests`/,
  );
  assert.match(
    warningsOf('when: durationMs:>100')[0]!,
    /^3:11 unknown-rule-field when: durationMs is a field of requests/,
  );
  assert.match(warningsOf(`${events}by: [Service]\nif: count > 1`)[0]!, /events have service/);
  assert.deepEqual(warningsOf(`${events}if: avg(attributes.durationMs) > 1s`), []);
  assert.deepEqual(warningsOf(`${events}by: [client.ip, host]\nif: distinct(service) > 1`), []);
});

test('a template has a star for each word with a digit', () => {
  assert.equal(messageTemplate('order 17 of 10.0.0.7:80 paid'), 'order * of * paid');
  assert.equal(messageTemplate('a-1_b: ok'), '* ok');
});

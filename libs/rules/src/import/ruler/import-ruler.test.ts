import { compilePredicate, FilterSubject, parseFilter } from '@logloom/filter';
import { levels, type Level } from '@logloom/schemas';
import { placedEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import type { ImportedRule } from '../imported-rule.ts';
import { importRules } from '../import-rules.ts';
import { noMapping } from '../rule-mapping.ts';

interface Line {
  service: string;
  message: string;
  level: Level;
  env?: string;
  status?: number | string;
  path?: string;
}

const log: Line[] = ['shop', 'shop-web', 'cron'].flatMap((service) =>
  ['error', 'an ERROR', 'errors', 'terror', 'time out', 'timed out', 'timed-out', 'timeout', 'fine'].flatMap(
    (message) =>
      levels.flatMap((level) =>
        ['prod', 'stage', 'production', undefined].map((env, i): Line => {
          const status = [200, '404', 500, 503][(i + levels.indexOf(level)) % 4]!;
          return {
            service,
            message,
            level,
            status,
            path: i % 2 === 0 ? '/pay' : '/Pay',
            ...(env === undefined ? {} : { env }),
          };
        }),
      ),
  ),
);
const subjects = log.map(({ service, message, level, ...attributes }, i) => {
  return new FilterSubject(
    placedEvent(i, { service, message, level, attributes: JSON.stringify(attributes) }),
  );
});

function imported(rule: object): ImportedRule {
  const text = stringify({ groups: [{ name: 'g', rules: [rule] }] });
  return importRules([{ name: 'rules.yml', text }], noMapping).rules[0]!;
}

const alert = (expr: string): ImportedRule => imported({ alert: 'A', expr });

const selections: { query: string; original: (line: Line) => boolean; isSame: boolean }[] = [
  { query: '{app="shop"}', original: ({ service }) => service === 'shop', isSame: true },
  {
    query: '{app=~"shop.*", env!="prod"}',
    original: ({ service, env }) => /^shop.*$/.test(service) && env !== 'prod',
    isSame: true,
  },
  {
    query: '{app=~".+", env=~"prod|stage"}',
    original: ({ env }) => env === 'prod' || env === 'stage',
    isSame: true,
  },
  {
    query: '{app="cron", env=""}',
    original: ({ service, env }) => service === 'cron' && env === undefined,
    isSame: true,
  },
  {
    query: '{app="cron", env!~".+"}',
    original: ({ service, env }) => service === 'cron' && env === undefined,
    isSame: true,
  },
  {
    query: '{app=~"shop|cron"} | json | status >= 500 and path="/pay"',
    original: ({ service, status, path }) =>
      service !== 'shop-web' && Number(status) >= 500 && path === '/pay',
    isSame: true,
  },
  {
    query: '{app="shop"} | json | status = "404" or status == 500 and path="/pay"',
    original: ({ service, status, path }) =>
      service === 'shop' && (status === '404' || (status === 500 && path === '/pay')),
    isSame: true,
  },
  {
    query: '{app="shop"} | json | (status = "404" or status == 500) and path="/pay"',
    original: ({ service, status, path }) =>
      service === 'shop' && (status === '404' || status === 500) && path === '/pay',
    isSame: true,
  },
  {
    query: '{app="shop"} | json s="status" | s != 500 | env !~ "prod.*"',
    original: ({ service, status, env }) =>
      service === 'shop' && status !== 500 && !/^prod.*$/.test(env ?? ''),
    isSame: true,
  },
  {
    query: '{app="shop"} |= "error" != "terror"',
    original: ({ service, message }) =>
      service === 'shop' && message.includes('error') && !message.includes('terror'),
    isSame: false,
  },
  {
    query: '{app="shop"} |~ "(?i)timed? ?out"',
    original: ({ service, message }) => service === 'shop' && /timed? ?out/i.test(message),
    isSame: false,
  },
  {
    query: '{app="shop"} |= `error` or "fine"',
    original: ({ service, message }) => service === 'shop' && /error|fine/.test(message),
    isSame: false,
  },
];

for (const { query, original, isSame } of selections)
  test(`LogQL: ${query} selects the same lines, or the report says that it does not`, () => {
    const { rule, reason, status, differences } = alert(`sum(count_over_time(${query} [5m])) > 3`);
    assert.ok(rule !== null, reason);
    assert.equal(status, isSame ? 'translated' : 'translated with a difference', differences.join('; '));
    const filter = parseFilter(rule.when);
    assert.ok(filter.ok);
    const matches = compilePredicate(filter.filter);
    const found = log.filter((_, i) => matches(subjects[i]!));
    const expected = log.filter(original);
    assert.ok(expected.length > 0 && expected.length < log.length);
    if (isSame) assert.deepEqual(found, expected);
    else
      assert.ok(
        expected.every((line) => found.includes(line) || query.includes('!=')),
        rule.when,
      );
    assert.equal(rule.if, 'count > 3');
  });

test('what a rule measures becomes a condition', () => {
  const shop = '{app="shop"}';
  const decided: [string, object][] = [
    [
      `sum by (app) (rate(${shop} [5m])) > 0.5`,
      { when: 'service:shop', by: ['service'], window: '5m', if: 'rate > 0.5/s' },
    ],
    [
      `sum(count_over_time(${shop} [1h30m])) by (env) >= 1e3`,
      { when: 'service:shop', by: ['env'], window: '90m', if: 'count >= 1000' },
    ],
    [`10 < sum(count_over_time(${shop} [5m]))`, { when: 'service:shop', window: '5m', if: 'count > 10' }],
    [
      `sum(count_over_time(${shop} [5m])) == 3`,
      { when: 'service:shop', window: '5m', if: 'count >= 3 and count <= 3 and count >= 1' },
    ],
    [
      `sum(count_over_time(${shop} [5m])) < 3`,
      { when: 'service:shop', window: '5m', if: 'count < 3 and count >= 1' },
    ],
    [
      `(sum(count_over_time(${shop} [5m])) or vector(0)) < 3`,
      { when: 'service:shop', window: '5m', if: 'count < 3' },
    ],
    [
      `(sum(count_over_time(${shop} [5m])) or vector(0)) == 0`,
      { when: 'service:shop', window: '5m', if: 'absent' },
    ],
    [`absent_over_time(${shop} [5m])`, { when: 'service:shop', window: '5m', if: 'absent' }],
    [
      `sum by (env) (count_over_time(${shop} |~ "user=\\\\w+" [5m]) > 0)`,
      { when: 'service:shop AND message:*user', by: ['env'], window: '5m', if: 'count >= 1' },
    ],
    [`absent_over_time(${shop} [5m]) == 1`, { when: 'service:shop', window: '5m', if: 'absent' }],
    [`sum(rate(${shop} [1m])) * 60 > 30`, { when: 'service:shop', window: '1m', if: 'rate > 0.5/s' }],
    [
      `100 * sum by (app) (rate(${shop} | json | status >= 500 [5m])) / sum by (app) (rate(${shop} [5m])) > 5`,
      { when: 'service:shop', by: ['service'], window: '5m', if: 'ratio(status:>=500) > 5%' },
    ],
    [
      `sum(rate(${shop} | json | status >= 500 [5m])) / sum(rate(${shop} [5m])) > 0.05 and sum(count_over_time(${shop} [5m])) > 20`,
      { when: 'service:shop', window: '5m', if: 'ratio(status:>=500) > 5% and count > 20' },
    ],
    [
      `sum(rate({app="a"} [5m])) > 1 and sum(count_over_time({app="b"} [5m])) > 2`,
      { when: 'service:(a OR b)', window: '5m', if: 'count(service:a) > 300 and count(service:b) > 2' },
    ],
    [
      `sum(count_over_time(${shop} [1h])) > 2 * sum(count_over_time(${shop} [1h] offset 1d))`,
      { when: 'service:shop', window: '1h', if: 'count > 200% of yesterday' },
    ],
    [`sum(rate(${shop} [30m])) / sum(rate(${shop} [30m])) > 2`, {}],
    [
      `max by (host) (max_over_time(${shop} | json | unwrap ms [5m])) > 9`,
      { when: 'service:shop', by: ['host'], window: '5m', if: 'max(ms) > 9' },
    ],
    [
      `avg_over_time(${shop} | json | unwrap ms [5m]) by (host) > 9`,
      { when: 'service:shop', by: ['host'], window: '5m', if: 'avg(ms) > 9' },
    ],
    [
      `quantile_over_time(0.95, ${shop} | json | unwrap ms [5m]) by (host) > 9`,
      { when: 'service:shop', by: ['host'], window: '5m', if: 'p95(ms) > 9' },
    ],
  ];
  for (const [expr, expected] of decided) {
    const { rule, reason } = alert(expr);
    if (Object.keys(expected).length === 0) {
      assert.match(reason, /the same events/, expr);
      continue;
    }
    assert.ok(rule !== null, `${expr}: ${reason}`);
    const { name: _, description: __, ...decision } = rule;
    assert.deepEqual(decision, expected, expr);
  }
});

test('what cannot be translated says why', () => {
  const shop = '{app="shop"}';
  const reasons: [string, RegExp][] = [
    ['up == 0', /not LogQL.*metrics/],
    ['sum(rate(http_requests_total{code=~"5.."}[5m])) > 1', /not LogQL.*metrics/],
    [`${shop} |= "error"`, /selects lines/],
    [`topk(3, sum by (app) (rate(${shop} [5m]))) > 1`, /topk/],
    [`sum without (app) (rate(${shop} [5m])) > 1`, /without/],
    [`max(rate(${shop} [5m])) > 1`, /max of rate, stream by stream/],
    [`sum(rate(${shop} [5m])) > on (app) sum(rate(${shop} [5m] offset 1h))`, /on \(app\)/],
    [`sum(rate(${shop} [5m])) > sum(rate(${shop} [5m] offset 1h))`, /1h before/],
    [`sum(rate(${shop} [5m])) > bool 1`, /bool/],
    [`sum(rate(${shop} [5m])) unless sum(rate({app="b"} [5m]))`, /unless/],
    [`sum(rate(${shop} [5m])) / sum(rate({app="b"} [5m])) > 1`, /does not contain the other/],
    [`sum(rate(${shop} [5m])) > 1 and sum(rate(${shop} [10m])) > 1`, /different times/],
    [`sum(rate(${shop} [5m])) > 1 and sum by (app) (rate(${shop} [5m])) > 1`, /grouped by different/],
    [`sum(bytes_rate(${shop} [5m])) > 1`, /bytes_rate/],
    [`sum(rate(${shop} | pattern "<ip> <_>" [5m])) > 1`, /pattern/],
    [`sum(rate(${shop} | line_format "{{.a}}" [5m])) > 1`, /line_format/],
    [`sum(rate(${shop} | json | took > 2s [5m])) > 1`, /took > 2s/],
    [`sum(rate(${shop} | json | a="1", b="2" or c="3" [5m])) > 1`, /parentheses/],
    [`sum(rate(${shop} |~ "x{30}" [5m])) > 1`, /no regular expressions/],
    [`sum(sum_over_time(${shop} | json | unwrap duration(ms) [5m])) > 1`, /no units/],
    [`sum(count_over_time(${shop} [7d])) > 1`, /at most 24h/],
  ];
  for (const [expr, reason] of reasons) {
    const { status, reason: given } = alert(expr);
    assert.equal(status, 'not translated', expr);
    assert.match(given, reason, expr);
  }
  assert.match(imported({ record: 'r', expr: 'sum(rate({a="b"}[5m]))' }).reason, /raises no alert/);
  const broken = importRules([{ name: 'a.yml', text: 'groups: [{ rules: [{ alert: A }] }]' }], noMapping);
  assert.match(broken.rules[0]!.reason, /list of rules with an expr/);
});

test('a stream of its own, a time that is left out and templates are reported', () => {
  const { rule, differences, notes } = imported({
    alert: 'Many errors!',
    expr: 'count_over_time({job="x"} |= "error" [5m]) > 10',
    for: '1m30s',
    keep_firing_for: '10m',
    labels: { severity: 'warning', team: 'shop' },
    annotations: {
      summary: '{{ $labels.app }} has {{ $value }} errors',
      runbook_url: 'https://example.com/r',
    },
  });
  assert.deepEqual(rule, {
    name: 'Many-errors',
    description: '(app) has (value) errors',
    when: 'job:x AND message:*error*',
    window: '5m',
    if: 'count > 10',
    for: '90s',
    severity: 'medium',
    labels: { team: 'shop', runbook_url: 'https://example.com/r' },
  });
  assert.deepEqual(
    differences.map((text) => text.split(/[:,]/)[0]),
    [
      'line filters look at the message',
      'message',
      'each stream is counted by itself there',
      'keep_firing_for 10m is left out',
    ],
  );
  assert.equal(notes.length, 2);
});

test('the rules file holds the rules once each, with what is different above them', () => {
  const text = stringify({
    spec: {
      groups: [{ name: 'g', rules: [1, 2].map(() => ({ alert: 'Same', expr: 'rate({app="a"}[5m]) > 1' })) }],
    },
  });
  const { yaml, rules, problems } = importRules(
    [
      { name: 'k8s.yml', text },
      { name: 'other.yml', text: 'a: 1' },
      { name: 'broken.yml', text: 'a: [' },
    ],
    noMapping,
  );
  assert.deepEqual(
    rules.map(({ rule }) => rule!.name),
    ['Same', 'Same-2'],
  );
  assert.match(yaml, /# ruler: Same \(k8s\.yml\)\n\s*# differs: each stream/);
  assert.equal(problems.length, 2);
  assert.match(problems.join('\n'), /other\.yml: it is neither[^]*broken\.yml/);
});

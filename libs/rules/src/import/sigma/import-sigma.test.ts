import { compilePredicate, FilterSubject, parseFilter } from '@logloom/filter';
import { placedEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importRules } from '../import-rules.ts';
import { noMapping, parseMapping, type RuleMapping } from '../rule-mapping.ts';

interface Line {
  service: string;
  message: string;
  [field: string]: string | number | boolean | undefined;
}

/** Values that tell the readings of rules apart: case, word boundaries, separators, wildcards taken literally. */
const log: Line[] = [
  ...[
    'Failed password for root from 192.0.2.1',
    'failed  password',
    'failed-password',
    'FAILED PASSWORDS',
    'xfailed passwordy',
    'password failed',
    'segfault at 0',
    'segfaults at 0',
    'resegfault',
    'a*b',
    'accepted',
  ].flatMap((message) => ['sshd', 'cron'].map((service) => ({ service, message }))),
  ...[
    'C:\\Windows\\cmd.exe',
    'C:\\WINDOWS\\CMD.EXE',
    'cmd.exe',
    'C:\\cmd.exe.bak',
    'D:\\tools\\x.exe',
  ].flatMap((Image) =>
    [undefined, 'SYSTEM', 'jo'].map((User) => ({ service: 'win', message: 'started', Image, User })),
  ),
  ...[4624, 4625, '4625', 46250].flatMap((EventID) =>
    [2, 3, 10].map((LogonType) => ({ service: 'win', message: 'logon', EventID, LogonType })),
  ),
  ...[
    '10.1.2.3',
    '11.0.0.1',
    '172.16.9.9',
    '172.31.0.1',
    '172.32.0.1',
    '192.168.1.130',
    '192.168.1.20',
    '::1',
    'fe80::1',
    'fec0::1',
  ].map((src_ip) => ({ service: 'net', message: 'connected', src_ip })),
  ...['/a.php', '/b.jsp', '/a.phps', '/a.PHP', '/static/a.js'].flatMap((path) =>
    [200, 404, 500].map((status) => ({ service: 'web', message: 'request', path, status })),
  ),
  ...['x -e y', 'x /e y', 'x –e y', 'x e y', 'powershell SQBFAFgA', '100%*', '100%x', 'w6k=', ''].map(
    (CommandLine) => ({
      service: 'win',
      message: 'run',
      CommandLine,
    }),
  ),
  ...[true, false].map((elevated) => ({ service: 'win', message: 'token', elevated })),
];

const subjects = log.map(({ service, message, ...attributes }, i) => {
  return new FilterSubject(placedEvent(i, { service, message, attributes: JSON.stringify(attributes) }));
});

interface Case {
  detection: string;
  logsource?: string;
  /** Which lines the rule is about, read without our code. */
  original: (line: Line) => boolean;
  status: 'translated' | 'translated with a difference';
}

const text = (value: Line[string]): string => (value === undefined ? '' : String(value));
const mapped: RuleMapping = {
  fields: { 'cs-uri-stem': 'path', 'sc-status': 'status' },
  logsources: [
    { product: 'windows', filter: 'service:win' },
    { category: 'webserver', filter: 'service:web' },
  ],
};

const cases: Case[] = [
  {
    logsource: '{ product: windows, service: security }',
    detection: '{ selection: { EventID: 4625, LogonType: [3, 10] }, condition: selection }',
    original: ({ service, EventID, LogonType }) =>
      service === 'win' && text(EventID) === '4625' && (LogonType === 3 || LogonType === 10),
    status: 'translated',
  },
  {
    logsource: '{ product: linux, service: sshd }',
    detection: '{ selection: { Message|contains: failed }, condition: selection }',
    original: ({ service, message }) => service === 'sshd' && /failed/i.test(message),
    status: 'translated',
  },
  {
    logsource: '{ product: linux, service: sshd }',
    detection: '{ selection: { Message|contains: failed password }, condition: selection }',
    original: ({ service, message }) => service === 'sshd' && /failed password/i.test(message),
    status: 'translated with a difference',
  },
  {
    logsource: '{ product: linux, service: sshd }',
    detection: '{ selection: { Message|startswith: failed }, condition: selection }',
    original: ({ service, message }) => service === 'sshd' && /^failed/i.test(message),
    status: 'translated with a difference',
  },
  {
    detection: '{ keywords: [segfault, "failed*root"], condition: keywords }',
    original: ({ message }) => /segfault|failed.*root/i.test(message),
    status: 'translated with a difference',
  },
  {
    detection: '{ keywords: { "|all": [failed, password] }, condition: keywords }',
    original: ({ message }) => /failed/i.test(message) && /password/i.test(message),
    status: 'translated with a difference',
  },
  {
    logsource: '{ product: windows }',
    detection:
      "{ selection: { Image|endswith: '\\cmd.exe' }, filter: { User: null }, condition: selection and not filter }",
    original: ({ service, Image, User }) =>
      service === 'win' && /\\cmd\.exe$/i.test(text(Image)) && User !== undefined,
    status: 'translated with a difference',
  },
  {
    logsource: '{ product: windows }',
    detection:
      "{ selection: { Image|endswith|cased: '\\cmd.exe' }, filter_a: { User: SYSTEM }, filter_b: { User|cased: jo }, condition: selection and not 1 of filter_* }",
    original: ({ service, Image, User }) =>
      service === 'win' &&
      text(Image).endsWith('\\cmd.exe') &&
      text(User).toUpperCase() !== 'SYSTEM' &&
      User !== 'jo',
    status: 'translated with a difference',
  },
  {
    detection:
      "{ selection: { src_ip|cidr: [10.0.0.0/8, 172.16.0.0/12, '::1/128', 'fe80::/10', 192.168.1.128/27] }, condition: selection }",
    original: ({ src_ip }) =>
      /^(10\.|172\.(1[6-9]|2\d|3[01])\.|::1$|fe[89ab].:|192\.168\.1\.(12[89]|1[34]\d|15\d)$)/.test(
        text(src_ip),
      ),
    status: 'translated',
  },
  {
    logsource: '{ category: webserver }',
    detection:
      "{ a: { cs-uri-stem|re: '\\.(php|jsp)$' }, b: { sc-status|gte: 500 }, c: { sc-status: 404 }, condition: a and (b or c) }",
    original: ({ service, path, status }) =>
      service === 'web' && /\.(php|jsp)$/.test(text(path)) && (Number(status) >= 500 || status === 404),
    status: 'translated',
  },
  {
    logsource: '{ category: webserver }',
    detection: '{ a: { cs-uri-stem|exists: true }, b: { sc-status|lt: 400 }, condition: all of them }',
    original: ({ service, path, status }) => service === 'web' && path !== undefined && Number(status) < 400,
    status: 'translated',
  },
  {
    detection: "{ selection: { CommandLine|windash|contains|cased: ' -e ' }, condition: selection }",
    original: ({ CommandLine }) => / [-/–—―]e /.test(text(CommandLine)),
    status: 'translated',
  },
  {
    detection: '{ selection: { CommandLine|base64|contains: é }, condition: selection }',
    original: ({ CommandLine }) => text(CommandLine).includes('w6k='),
    status: 'translated with a difference',
  },
  {
    detection: '{ selection: { CommandLine|wide|base64offset|contains: IEX }, condition: selection }',
    // IEX in UTF-16, where it begins at a multiple of three bytes.
    original: ({ CommandLine }) => text(CommandLine).includes('SQBFAFgA'),
    status: 'translated with a difference',
  },
  {
    detection: "{ selection: { CommandLine: '100%\\*' }, empty: { CommandLine: '' }, condition: 1 of them }",
    original: ({ CommandLine }) => CommandLine === '100%*' || CommandLine === '',
    status: 'translated',
  },
  {
    detection:
      '{ selection: [{ elevated: true }, { EventID: 46250, LogonType|neq: 3 }], condition: selection }',
    original: ({ elevated, EventID, LogonType }) =>
      elevated === true || (EventID === 46250 && LogonType !== 3),
    status: 'translated',
  },
];

const ruleOf = ({ detection, logsource = '{}' }: Pick<Case, 'detection' | 'logsource'>): string =>
  `title: A rule\nlogsource: ${logsource}\ndetection: ${detection}\n`;

for (const each of cases)
  test(`Sigma: ${each.detection} is about the same lines, or says that it is not`, () => {
    const { rules, problems } = importRules([{ name: 'a.yml', text: ruleOf(each) }], mapped);
    assert.deepEqual(problems, []);
    const [{ status, differences, reason, rule }] = rules as [(typeof rules)[number]];
    assert.equal(status, each.status, `${reason} ${differences.join('; ')}`);
    const filter = parseFilter(rule!.when);
    assert.ok(filter.ok);
    const matches = compilePredicate(filter.filter);
    const found = log.filter((_, i) => matches(subjects[i]!));
    const expected = log.filter(each.original);
    assert.ok(expected.length > 0 && expected.length < log.length);
    if (status === 'translated') assert.deepEqual(found, expected);
    else assert.ok(found.filter((line) => expected.includes(line)).length > 0);
  });

test('each difference from Sigma is one that this log shows', () => {
  const different = cases
    .filter(({ status }) => status !== 'translated')
    .filter((each) => {
      const [imported] = importRules([{ name: 'a.yml', text: ruleOf(each) }], mapped).rules;
      const filter = parseFilter(imported!.rule!.when);
      assert.ok(filter.ok);
      const matches = compilePredicate(filter.filter);
      return log.some((line, i) => matches(subjects[i]!) !== each.original(line));
    });
  assert.ok(different.length >= 3, String(different.length));
});

const many = (yaml: string, mapping = noMapping) =>
  importRules([{ name: 'a.yml', text: yaml }], mapping).rules;

test('counts of Sigma 1 and correlations of Sigma 2 become windows', () => {
  const counts: [string, object][] = [
    ['sel | count() > 5', { window: '5m', if: 'count > 5' }],
    ['sel | count() by src_ip >= 5', { by: ['src_ip'], window: '5m', if: 'count >= 5' }],
    [
      'sel | count(user) by src_ip, c-ip > 5',
      { by: ['src_ip', 'client.address'], window: '5m', if: 'distinct(user) > 5' },
    ],
    ['sel | sum(bytes) > 1000', { window: '5m', if: 'sum(bytes) > 1000' }],
    ['sel | count() = 3', { window: '5m', if: 'count >= 3 and count <= 3' }],
    ['sel | count(user) < 3', { window: '5m', if: 'distinct(user) < 3 and count >= 1' }],
  ];
  for (const [condition, expected] of counts) {
    const [{ rule, reason }] = many(
      `title: T\nlogsource: {}\ndetection: { sel: { a: 1 }, timeframe: 5m, condition: '${condition}' }`,
    ) as [ReturnType<typeof many>[number]];
    assert.ok(rule !== null, reason);
    const { name: _, description: __, when, ...decision } = rule;
    assert.deepEqual([when, decision], ['a:1', expected]);
  }

  const correlation = (text: string): ReturnType<typeof many>[number] =>
    many(`
title: One
name: one
logsource: {}
detection: { sel: { a: 1 }, condition: sel }
---
title: Two
id: 9a4b
logsource: {}
detection: { sel: { b: 2 }, condition: sel }
---
title: Both
level: high
correlation: { ${text} }
`).at(-1)!;
  const decided: [string, object][] = [
    [
      'type: event_count, rules: [one, 9a4b], group-by: [host], timespan: 10m, condition: { gte: 10, lt: 20 }',
      { when: 'a:1 OR b:2', by: ['host'], window: '10m', if: 'count >= 10 and count < 20' },
    ],
    [
      'type: value_count, rules: one, timespan: 1h, condition: { field: user, gt: 3 }',
      { when: 'a:1', window: '1h', if: 'distinct(user) > 3' },
    ],
    [
      'type: value_percentile, rules: [one], timespan: 1h, condition: { field: ms, percentile: 95, gt: 300 }',
      { when: 'a:1', window: '1h', if: 'p95(ms) > 300' },
    ],
    [
      'type: temporal, rules: [one, 9a4b], group-by: [user], timespan: 5m',
      { when: 'a:1 OR b:2', by: ['user'], window: '5m', if: 'count(a:1) >= 1 and count(b:2) >= 1' },
    ],
    [
      'type: temporal_ordered, rules: [one, 9a4b], group-by: [user], timespan: 5m',
      { when: 'a:1', then: 'b:2', by: ['user'], within: '5m' },
    ],
  ];
  for (const [text, expected] of decided) {
    const { rule, reason } = correlation(text);
    assert.ok(rule !== null, reason);
    const { name, description: _, severity, ...decision } = rule;
    assert.deepEqual([name, severity, decision], ['Both', 'high', expected]);
  }
  const lost: [string, RegExp][] = [
    ['type: temporal_ordered, rules: [one, 9a4b, one], timespan: 5m', /sequence of 3 rules/],
    [
      'type: event_count, rules: [three], timespan: 5m, condition: { gte: 3 }',
      /three is in none of the files/,
    ],
    ['type: event_count, rules: [one], timespan: 5m, condition: { gte: 3 }, aliases: { a: {} }', /aliases/],
    ['type: temporal, rules: [one, 9a4b], timespan: 5m, condition: one and not 9a4b', /combination/],
    ['type: event_count, rules: [one], timespan: 3d, condition: { gte: 3 }', /at most 24h/],
    ['type: sudden, rules: [one], timespan: 5m, condition: { gte: 3 }', /type sudden/],
  ];
  for (const [text, reason] of lost) {
    const imported = correlation(text);
    assert.equal(imported.status, 'not translated', text);
    assert.match(imported.reason, reason);
  }
});

test('a rule that a correlation names raises no alert of its own, unless it should', () => {
  const yaml = (generate: string): string => `
{ title: One, name: one, logsource: {}, detection: { sel: { a: 1 }, condition: sel } }
---
{ title: Many, correlation: { type: event_count, rules: [one], timespan: 5m, condition: { gte: 3 }${generate} } }
`;
  const statuses = (generate: string): unknown[] =>
    many(yaml(generate)).map(({ rule }) => rule?.name ?? null);
  assert.deepEqual(statuses(''), [null, 'Many']);
  assert.deepEqual(statuses(', generate: true'), ['One', 'Many']);
  const lost = many(yaml(', aliases: {}'));
  assert.deepEqual(
    lost.map(({ status }) => status),
    ['not translated', 'not translated'],
  );
});

test('what cannot be translated says why', () => {
  const reasons: [string, RegExp][] = [
    ['{ sel: { a|fieldref: b }, condition: sel }', /modifier fieldref/],
    ['{ sel: { a|expand: "%x%" }, condition: sel }', /modifier expand/],
    ["{ sel: { a|re: 'x{30}' }, condition: sel }", /no regular expressions/],
    ["{ sel: { a|re: '(?!b)' }, condition: sel }", /no regular expressions/],
    ['{ sel: { a|cidr: 10.0.0.0/26 }, condition: sel }', /64 clauses/],
    ["{ sel: { a|windash: '-a -b -c' }, condition: sel }", /125 clauses/],
    ['{ sel: { a|wide|base64: über }, condition: sel }', /not ASCII/],
    ['{ sel: { a: 1 }, condition: 2 of sel* }', /2 of/],
    ['{ sel: { a: 1 }, condition: selection }', /nothing in the detection is called selection/],
    ['{ sel: { a: 1 }, condition: sel | near other, timeframe: 5m }', /aggregation "near other"/],
    ['{ sel: { a: 1 }, condition: sel | count() > 5 }', /no timeframe/],
    ['{ sel: { a: 1 }, condition: (sel }', /an end where/],
    ["{ keywords: ['=>'], condition: keywords }", /no word/],
    [`{ sel: { a: [${Array.from({ length: 70 }, (_, i) => i).join(', ')}] }, condition: sel }`, /64/],
  ];
  for (const [detection, reason] of reasons) {
    const [imported] = many(ruleOf({ detection }));
    assert.equal(imported!.status, 'not translated', detection);
    assert.match(imported!.reason, reason, detection);
  }
  assert.match(many('title: T\ndetection: { condition: a }')[0]!.reason, /logsource/);
});

test('a log source that is not mapped is a difference', () => {
  const rule = ruleOf({
    logsource: '{ product: windows, service: security }',
    detection: '{ a: { EventID: 1 }, condition: a }',
  });
  assert.match(many(rule)[0]!.differences.join(), /product windows, service security/);
  const read = parseMapping(
    'logsources: [{ product: windows, filter: "service:security" }]\nfields: { EventID: winlog.event_id }',
  );
  assert.ok(read.ok);
  const [imported] = many(rule, read.mapping);
  assert.deepEqual(
    [imported!.status, imported!.rule!.when],
    ['translated', 'service:security AND winlog.event_id:1'],
  );
  assert.ok(!parseMapping('fields: [a]').ok);
  assert.ok(!parseMapping('field: {}').ok);
});

test('the mapping that the documentation shows can be read', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../../docs/rules.md'), 'utf8');
  const [, example] = /```yml\n([^]*?)```/.exec(page)!;
  const read = parseMapping(example!);
  assert.ok(read.ok && read.mapping.logsources.every(({ filter }) => parseFilter(filter).ok));
});

test('the rule keeps its author and id, and fields of Logloom are not taken for those of a rule', () => {
  const [imported] = many(`
title: Ümläut – a rule!
id: 1f2e
author: [Jo, Al]
description: >
  Says
  something.
level: critical
tags: [attack.t1110]
logsource: {}
detection: { sel: { Service: a, durationMs|gt: 5, id: 7, "a b": c }, condition: sel }
`);
  const { name, description, severity, labels, when } = imported!.rule!;
  assert.deepEqual(
    { name, description, severity, labels, when },
    {
      name: 'Umlaut-a-rule',
      description: 'Ümläut – a rule!: Says something.',
      severity: 'critical',
      labels: { sigma: '1f2e', author: 'Jo, Al', tags: 'attack.t1110' },
      when: 'attributes.Service:a AND attributes.durationMs:>5 AND attributes.id:7 AND a\\ b:c',
    },
  );
});

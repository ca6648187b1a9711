import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorCodes } from '../testing/error-codes.ts';
import { unknownNames } from '../known-metrics.ts';
import { commandProblem } from '../testing/command-problem.ts';
import { alertCases } from './alert-cases.ts';
import { readRules, runbookOf } from './read-rules.ts';

const root = join(import.meta.dirname, '../../..');
const rules = readRules();
const alerts = rules.filter((rule) => rule.alert !== undefined);

test('rules use only metrics and labels that are declared', () => {
  const recorded = new Map(
    rules.flatMap(({ record, labels }) => (record ? [[record, Object.keys(labels)]] : [])),
  );
  assert.deepEqual(
    unknownNames(
      rules.map((rule) => rule.expr),
      recorded,
    ),
    [],
  );
});

test('a metric, a label or a recording that does not exist is found', () => {
  const wrong = [
    'rate(logloom_ingest_event_total[5m])',
    'sum by (receivers) (rate(logloom_ingest_events_total[5m]))',
    'logloom_ready{store="search"} == 0 and logloom:none:rate5m > 1',
  ];
  assert.deepEqual(unknownNames(wrong), [
    'logloom_ingest_event_total is not declared',
    'no metric in sum by (receivers) (rate(logloom_ingest_events_total[5m])) has the label receivers',
    'logloom_ready has no label store',
    'logloom:none:rate5m is not declared',
  ]);
});

test('error codes that rules name are those of docs/errors.md', () => {
  const known = errorCodes();
  const named = rules.flatMap(({ expr }) =>
    [...expr.matchAll(/\b(?:code|reason)=~?"([^"]+)"/g)].flatMap(([, codes]) => codes!.split('|')),
  );
  assert.ok(named.length > 10);
  assert.deepEqual(
    named.filter((code) => !known.has(code)),
    [],
  );
});

test('every alert has a severity, texts, a runbook and cases; each runbook has an alert', () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels['severity']!, /^(?:page|ticket)$/, alert);
    assert.ok(annotations!['summary'] && annotations!['description']!.endsWith('.'), alert);
    assert.equal(annotations!['runbook_url'], runbookOf(alert!));
  }
  const nameOf = ({ alert, severity }: { alert: string; severity: string }): string => `${alert} ${severity}`;
  assert.deepEqual(
    alertCases.map(nameOf).sort(),
    alerts.map(({ alert, labels }) => nameOf({ alert: alert!, severity: labels['severity']! })).sort(),
  );
  const pages = globSync('docs/runbooks/*.md', { cwd: root }).filter((page) => !page.endsWith('README.md'));
  assert.deepEqual(pages.sort(), [...new Set(alerts.map(({ alert }) => runbookOf(alert!)))].sort());
});

test('every alert is made to fire, and to clear, by a fault on a real Prometheus', () => {
  const tests = ['apps', 'infra', 'services', 'tests']
    .flatMap((folder) =>
      globSync(`${folder}/**/*.int.test.ts`, { cwd: root, exclude: ['**/node_modules/**'] }),
    )
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .filter((text) => text.includes('PrometheusServer.start'));
  const made = new Set(tests.flatMap((text) => text.match(/(?<=')Logloom\w+(?=')/g) ?? []));
  assert.deepEqual(
    [...new Set(alerts.map(({ alert }) => alert!))].filter((alert) => !made.has(alert)),
    [],
  );
});

test('the first command of every runbook is one of the command line, and each other one too', () => {
  for (const { alert } of alerts) {
    const page = readFileSync(join(root, runbookOf(alert!)), 'utf8');
    const first = /^```sh\n(logloom .+)\n/m.exec(page)?.[1];
    assert.ok(first, `${alert}: no command`);
    const inText = [...page.matchAll(/`(logloom [^`]+)`/g)].map(([, command]) => command!);
    for (const command of [first, ...inText])
      assert.equal(commandProblem(command), undefined, `${alert}: ${command}`);
  }
  assert.match(commandProblem('logloom viewers --stop x')!, /--stop/);
  assert.match(commandProblem('logloom viewer')!, /viewer/);
});

test('the windows of an objective differ in nothing but their length', () => {
  const shapes = new Map<string, Set<string>>();
  for (const { record, expr, labels } of rules) {
    if (record === undefined) continue;
    const window = record.slice(record.indexOf(':rate') + 5);
    const shape = expr.replaceAll(`[${window}]`, '[]');
    assert.doesNotMatch(shape, /\[\w/, record);
    shapes.set(labels['slo']!, (shapes.get(labels['slo']!) ?? new Set()).add(shape));
  }
  assert.deepEqual(
    [...shapes].map(([slo, { size }]) => [slo, size]),
    [
      ['canary-loss', 1],
      ['canary-age', 1],
      ['ingest', 1],
      ['api', 1],
      ['viewers', 1],
    ],
  );
});

import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { dashboardQueries } from '../grafana/read-dashboards.ts';
import { alertCases } from './alert-cases.ts';
import { readRules, rulesFolder } from './read-rules.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

function promtool(...args: string[]): { ok: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { ok: status === 0, output: stdout + stderr };
}

interface Case {
  name: string;
  at: string;
  series: Record<string, string>;
  /** The alert and its severity. */
  firing: [string, string] | undefined;
  alert: string;
}

/** A file for `promtool test rules`. Several series of one alert may fire: what counts is whether any does. */
function testFile(ruleFile: string, cases: readonly Case[]): string {
  return stringify({
    rule_files: [join(rulesFolder, ruleFile)],
    evaluation_interval: '1m',
    tests: cases.map(({ name, at, series, firing, alert }) => ({
      name,
      interval: '1m',
      input_series: Object.entries(series).map(([one, values]) => ({ series: one, values })),
      promql_expr_test: [
        {
          expr: `count by (alertname, severity) (ALERTS{alertname="${alert}",alertstate="firing"${firing ? `,severity="${firing[1]}"` : ''}})`,
          eval_time: at,
          exp_samples: firing
            ? [{ labels: `{alertname="${firing[0]}",severity="${firing[1]}"}`, value: 1 }]
            : [],
        },
      ],
    })),
  });
}

test('promtool: every alert fires where it should, and does not where it should not', (t) => {
  if (!hasPromtool) return t.skip('promtool is not installed (Debian: prometheus)');
  using folder = temporaryFolder('rules');
  const write = (name: string, ruleFile: string, cases: readonly Case[]): string => {
    const path = join(folder.path, name);
    writeFileSync(path, testFile(ruleFile, cases));
    return path;
  };
  const rules = readRules();
  const casesOf = (ruleFile: string): Case[] => {
    const names = new Set(rules.filter(({ file }) => file === ruleFile).map(({ alert }) => alert));
    return alertCases
      .filter(({ alert }) => names.has(alert))
      .flatMap(({ alert, severity, fires, doesNotFire }): Case[] => [
        { name: `${alert} fires`, at: fires[0], series: fires[1], firing: [alert, severity], alert },
        { name: `${alert} does not`, at: doesNotFire[0], series: doesNotFire[1], firing: undefined, alert },
      ]);
  };
  // Promtool evaluates all rules of a test's files: each file is tested with its own cases only.
  const ruleFiles = [...new Set(rules.map(({ file }) => file))];
  const { ok, output } = promtool(
    'test',
    'rules',
    ...ruleFiles.map((file) => write(file, file, casesOf(file))),
  );
  assert.ok(ok, output);

  // That a case which is wrong fails, or the above would show nothing.
  const [fires, doesNot] = casesOf('viewers.yaml');
  const wrong = [
    { ...fires!, series: doesNot!.series },
    { ...doesNot!, series: fires!.series },
  ];
  const failed = promtool('test', 'rules', write('wrong.yaml', 'viewers.yaml', wrong)).output;
  assert.match(failed, /got: nil/);
  assert.match(failed, /exp: nil/);
});

test('promtool: the queries of the dashboards are PromQL', (t) => {
  if (!hasPromtool) return t.skip('promtool is not installed (Debian: prometheus)');
  using folder = temporaryFolder('queries');
  const file = join(folder.path, 'queries.yaml');
  const rules = dashboardQueries().map(({ expr }, i) => ({ record: `panel:query:${i}`, expr }));
  writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }));
  const { ok, output } = promtool('check', 'rules', file);
  assert.ok(ok, output);
});

test('amtool: the example for Alertmanager can be used, and sends pages and tickets to their receivers', (t) => {
  const config = join(import.meta.dirname, '../alertmanager/alertmanager.yaml');
  const amtool = (...args: string[]) => spawnSync('amtool', args, { encoding: 'utf8' });
  if (amtool('--version').error !== undefined)
    return t.skip('amtool is not installed (Debian: prometheus-alertmanager)');
  const { status, stdout, stderr } = amtool('check-config', config);
  assert.equal(status, 0, stdout + stderr);
  const receiverOf = (severity: string): string =>
    amtool('config', 'routes', 'test', `--config.file=${config}`, `severity=${severity}`).stdout.trim();
  assert.deepEqual([receiverOf('page'), receiverOf('ticket')], ['pages', 'tickets']);
});

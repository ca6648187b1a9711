import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { unknownNames } from '../known-metrics.ts';
import { readRules } from '../prometheus/read-rules.ts';
import { dashboardQueries, readDashboards } from './read-dashboards.ts';

const dashboards = readDashboards();

test('the queries of all panels use only metrics and labels that are declared', () => {
  const recorded = new Map([
    ...readRules().flatMap(({ record, labels }): [string, string[]][] =>
      record === undefined ? [] : [[record, Object.keys(labels)]],
    ),
    ['ALERTS', ['alertname', 'alertstate', 'severity']],
  ]);
  const queries = dashboardQueries().map(({ expr }) => expr);
  assert.ok(queries.length > 40);
  assert.deepEqual(unknownNames(queries, recorded), []);
});

test('dashboards have ids of their own and panels that do not overlap, on the provisioned source', () => {
  const sources = parse(
    readFileSync(join(import.meta.dirname, 'provisioning/datasources/prometheus.yaml'), 'utf8'),
  ) as { datasources: { uid: string }[] };
  assert.equal(new Set(dashboards.map(({ uid }) => uid)).size, dashboards.length);
  for (const { title, panels } of dashboards) {
    assert.equal(new Set(panels.map((panel) => panel.title)).size, panels.length, title);
    for (const [i, { datasource, gridPos: a }] of panels.entries()) {
      assert.equal(datasource.uid, sources.datasources[0]!.uid);
      for (const { gridPos: b } of panels.slice(i + 1))
        assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y, title);
    }
  }
});

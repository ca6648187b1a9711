import {
  lintMetrics,
  parseMetrics,
  seriesOf,
  type MetricFamily,
} from '@logloom/telemetry/testing/metrics-text';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { declaredMetrics } from '../../tools/docs/metrics-page.ts';
import type { Pipeline } from './pipeline.ts';

const lines = 1_000;
/** Series of what is counted for the first time: a code, a way to close a session, a kind of garbage collection. */
const mostNewSeries = 20;

/**
 * Asserts of all metrics of a running pipeline that they keep Prometheus' conventions, are declared with the same type and help, and that
 * events of a thousand services, hosts and ids make no series.
 */
export async function holdMetrics(pipeline: Pipeline): Promise<void> {
  const text = async () => (await fetch(`${pipeline.viewersUrl}/metrics`)).text();
  const scrape = async () => parseMetrics(await text());
  const count = (families: Awaited<ReturnType<typeof scrape>>, name: string, labels: string): number =>
    (families.get(name.replace(/_count$/, ''))?.samples ?? [])
      .filter((sample) => sample.name === name && sample.labels.includes(labels))
      .reduce((sum, { value }) => sum + value, 0);
  const isIndexed = async (least: number): Promise<boolean> =>
    count(await scrape(), 'logloom_event_age_seconds_count', 'stage="searchable"') >= least;
  await pipeline.ingest(
    '{"level":"error","service":"first","host":"h","trace_id":"first","message":"m"}\nnope',
  );
  await eventually('searchable', () => isIndexed(1));
  await eventually(
    'the lag is known',
    async () => count(await scrape(), 'logloom_consumer_lag_records', '') >= 0,
  );
  const before = await scrape();

  const body = Array.from({ length: lines }, (_, i) =>
    JSON.stringify({ service: `s${i}`, host: `h${i}`, trace_id: `t${i}`, message: 'm', [`field${i}`]: i }),
  );
  await pipeline.ingest(body.join('\n'));
  await eventually('all are searchable', () => isIndexed(lines + 1));
  const after = await scrape();
  assertDeclared(after);
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: await text(), encoding: 'utf8' });
  // Debian's package prometheus has it; where it is missing, our own lint has to do.
  if (checked.error === undefined) assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  const known = new Set(seriesOf(before));
  const made = seriesOf(after).filter((series) => !known.has(series));
  assert.ok(made.length <= mostNewSeries, made.join('\n'));
  for (const { samples } of after.values())
    for (const { labels } of samples) assert.doesNotMatch(labels, /"(?:s|h|t|field)\d+"/);
}

/** Asserts that metrics keep Prometheus' conventions, and that those of Logloom's own are declared with this type and help. */
export function assertDeclared(families: ReadonlyMap<string, MetricFamily>): void {
  assert.deepEqual(lintMetrics(families), []);
  const declared = new Map(declaredMetrics().map((metric) => [metric.name, metric]));
  for (const [name, { type, help }] of families) {
    if (/^(?:process|nodejs)_/.test(name)) continue;
    assert.deepEqual([type, help], [declared.get(name)?.type, declared.get(name)?.help], name);
  }
}

import { notifyMetrics } from '@logloom/notify';
import { ownerKey, telemetryMetrics, type DescribedMetric } from '@logloom/telemetry';
import { canaryMetrics } from '../../apps/logloom/src/canary/telemetry.ts';
import { runtimeMetrics } from '../../libs/runtime/src/runtime-metrics.ts';
import { correlatorMetrics } from '../../services/correlator/src/telemetry.ts';
import { liveMetrics, liveStreamMetrics, workerMetrics } from '../../services/fanout/src/telemetry.ts';
import { apiMetrics, indexerMetrics, indexerQueue } from '../../services/indexer/src/telemetry.ts';
import { ingestMetrics, partMetrics } from '../../services/ingest/src/telemetry.ts';

/** Every group of declared metrics. */
const groups = [
  telemetryMetrics,
  runtimeMetrics,
  ingestMetrics,
  partMetrics,
  correlatorMetrics,
  indexerMetrics,
  indexerQueue,
  notifyMetrics,
  apiMetrics,
  liveMetrics,
  liveStreamMetrics,
  workerMetrics,
  canaryMetrics,
];

const intro = `# Metrics

<!-- Made by \`npm run docs\` from the declarations: change them, not this page. -->

\`GET /metrics\` answers with Prometheus' text format: on \`LIVE_PORT\` in the one-process mode, on \`HEALTH_PORT\` of a service on its own, or
on \`METRICS_PORT\` alone where that is set. \`METRICS_TOKEN\` asks for a bearer token ([ADR 33](adr/0033-metrics-are-declared.md)).

- Every metric of Logloom's own has the label \`service\`: \`ingest\`, \`correlator\`, \`indexer\`, \`api\`, \`fanout\`, \`canary\`, or \`logloom\` for the main
  thread of the one-process mode and its live workers. Threads and processes of the same service are summed up, or as the table says.
- No label holds what senders or viewers choose: no service, host, id, filter or address. The number of series is bounded by the
  configuration: partitions, keys, rules, error codes.
- Ages and lags in seconds go by the append time that records carry. They are never negative: where the log's clock is ahead of this
  machine's, they count as 0, and \`logloom_log_clock_ahead_seconds\` says by how much.
- \`process_*\` and \`nodejs_*\` are those of [prom-client](https://github.com/siimon/prom-client#default-metrics): CPU, memory and open files
  of the process; event-loop lag, heap and garbage collection (\`nodejs_gc_duration_seconds\`) of each thread. Gauges of it that end in
  \`_total\` are left out: \`nodejs_active_resources\` and the like have the same.

Histograms have the usual \`_bucket\`, \`_sum\` and \`_count\`.
`;

/** Every metric that is declared, with its owner. */
export function declaredMetrics(): (DescribedMetric & { owner: string })[] {
  return groups.flatMap((group) =>
    Object.values(group as Record<string, DescribedMetric>).map((metric) => ({
      type: metric.type,
      name: metric.name,
      unit: metric.unit,
      help: metric.help,
      labels: metric.labels,
      owner: group[ownerKey],
    })),
  );
}

/** docs/metrics.md, before Prettier formats it. */
export function metricsPage(): string {
  const metrics = declaredMetrics();
  const sections = [...new Set(metrics.map(({ owner }) => owner))].map((owner) =>
    [
      `## ${owner}`,
      '',
      '| metric | type | unit | labels | meaning |',
      '| --- | --- | --- | --- | --- |',
      ...metrics.filter((metric) => metric.owner === owner).map(row),
      '',
    ].join('\n'),
  );
  return [intro, ...sections].join('\n');
}

function row({ name, type, unit, labels, help }: DescribedMetric): string {
  const described = Object.entries(labels).map(([label, meaning]) => `\`${label}\` (${meaning})`);
  const cells = [`\`${name}\``, type, unit, described.join('; '), help];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

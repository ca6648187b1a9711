import { Gauge, Registry } from 'prom-client';
import type { Latency, RunResult } from '../result.ts';
import { deliveryFindings } from './executive-summary.ts';

/**
 * The end of a run as Prometheus text for a Pushgateway. All are gauges, also counts: they are of one run, and the next one replaces them.
 * What was not measured is left out, so that nothing reads it as zero.
 */
export async function prometheusText(result: RunResult): Promise<string> {
  const registry = new Registry();
  const { delivery, ingest, connections, generator, server, verdict, scenario } = result;
  const set = (
    name: string,
    help: string,
    samples: readonly [labels: Record<string, string>, value: number | null][],
  ): void => {
    const known = samples.filter(([, value]) => value !== null);
    if (known.length === 0) return;
    const labelNames = ['scenario', ...Object.keys(known[0]![0])];
    const gauge = new Gauge({ name: `logloom_loadtest_${name}`, help, labelNames, registers: [registry] });
    for (const [labels, value] of known) gauge.set({ scenario: scenario.name, ...labels }, value!);
  };
  set('start_timestamp_seconds', 'When the run started, in seconds since 1970', [
    [{}, Date.parse(result.startedAt) / 1000],
  ]);
  set('duration_seconds', 'How long the run took', [[{}, result.durationS]]);
  set(
    'verdict',
    'Is 1 for the verdict of the run, 0 for the others',
    (['ready', 'not-ready', 'not-shown'] as const).map((one) => [
      { verdict: one },
      Number(one === verdict.overall),
    ]),
  );
  set(
    'objective_outcome',
    'Is 1 for the outcome of the objective, 0 for the others',
    verdict.objectives.flatMap(({ metric, outcome }) =>
      (['met', 'missed', 'not-shown'] as const).map((one): [Record<string, string>, number] => [
        { objective: metric, outcome: one },
        Number(one === outcome),
      ]),
    ),
  );
  set('expected_deliveries', 'Deliveries that the filters of the viewers match', [[{}, delivery.expected]]);
  set('received_deliveries', 'Deliveries that arrived once', [[{}, delivery.received]]);
  set('announced_deliveries', 'Deliveries that were left out and announced', [[{}, delivery.announced]]);
  set(
    'failed_deliveries',
    'Deliveries that were not as they should be',
    deliveryFindings(delivery).map(({ reason, finding }) => [{ reason }, finding.count]),
  );
  set(
    'delivery_latency_seconds',
    'Latency of deliveries from the intended time, by quantile',
    quantiles(delivery.latency),
  );
  set(
    'ingest_latency_seconds',
    'Latency of acknowledgements from the intended time, by quantile',
    quantiles(ingest.latency),
  );
  set(
    'connect_latency_seconds',
    'From the start of the TCP connection to the subscription, by quantile',
    quantiles(connections.latency),
  );
  set('intended_events', 'Events that were due by the scenario', [[{}, ingest.intended]]);
  set('acknowledged_events', 'Events that ingest acknowledged', [
    [{}, ingest.acknowledges === false ? null : ingest.acknowledged],
  ]);
  set('failed_connections', 'Connections of viewers that failed', [[{}, connections.failed]]);
  set('lost_connections', 'Connections that the server or the network ended', [[{}, connections.lost]]);
  set('generator_cpu_ratio', 'Highest share of a core of a process of the generator', [
    [{}, generator.maxCpu],
  ]);
  set('server_cpu_ratio', 'Mean share of all cores of the server', [[{}, server?.cpuShareMean ?? null]]);
  set('server_memory_bytes', 'Highest memory of the server', [[{}, server?.memoryMaxBytes ?? null]]);
  return registry.metrics();
}

function quantiles(latency: Latency): [Record<string, string>, number | null][] {
  const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);
  return [
    [{ quantile: '0.5' }, seconds(latency.p50)],
    [{ quantile: '0.95' }, seconds(latency.p95)],
    [{ quantile: '0.99' }, seconds(latency.p99)],
    [{ quantile: '0.999' }, seconds(latency.p999)],
    [{ quantile: '0.9999' }, seconds(latency.p9999)],
    [{ quantile: '1' }, seconds(latency.max)],
  ];
}

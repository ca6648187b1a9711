import type { Scenario } from '../scenario/scenario.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { runScenario, type RunFindings, type RunOptions } from './run-scenario.ts';

export interface DeliveryCheckLoad {
  viewers: number;
  /** Events a second. */
  rate: number;
  seconds: number;
}

/** Latencies from an event's intended time to the viewer, in ms; absent if nothing arrived. */
export interface DeliveryCheckResult {
  viewers: number;
  refused: number;
  seconds: number;
  sent: number;
  deliveries: number;
  deliveriesPerSecond: number;
  /** Announced by gaps, all viewers together. */
  missed: number;
  /** Viewers that neither got each event once nor a gap for the missing ones. */
  wrong: number;
  /** Connections that were lost. */
  lost: number;
  latencyMs?: { p50: number; p95: number; p99: number; max: number };
}

const connectsPerSecond = 500;

/** So many viewers watch everything; once all of them are there, events are sent at a flat rate. */
export function deliveryCheckScenario({ viewers, rate, seconds }: DeliveryCheckLoad): Scenario {
  const connectS = Math.max(1, viewers / connectsPerSecond);
  const eventsAtS = connectS + 1;
  return readScenario(
    JSON.stringify({
      description: `${viewers} viewers of ${rate} events/s for ${seconds} s.`,
      viewers: {
        stages: [{ to: viewers, for: `${connectS}s` }, { for: `${1 + seconds}s` }],
        mix: [{ watch: 'all' }],
      },
      events: {
        stages: [
          { to: 0, for: `${eventsAtS}s` },
          { to: rate, for: `${seconds}s`, shape: 'steps', count: 1 },
        ],
      },
    }),
    'delivery-check',
  );
}

/**
 * Lets viewers watch and counts what each gets; it looks neither at latencies nor at the search. Ends early where no viewer can connect: `viewers`
 * is 0 then. Throws LoadtestError `target-unavailable`.
 */
export async function checkDelivery(
  load: DeliveryCheckLoad,
  options: RunOptions,
  signal: AbortSignal,
): Promise<{ result: DeliveryCheckResult; findings: RunFindings }> {
  const nobody = new AbortController();
  const findings = await runScenario(
    deliveryCheckScenario(load),
    {
      ...options,
      checksSearch: false,
      onProgress: (progress) => {
        options.onProgress?.(progress);
        const { latest } = progress;
        if (latest !== undefined && latest.atS >= 1 && latest.viewers === 0 && latest.connectFailures > 0)
          nobody.abort();
      },
    },
    AbortSignal.any([signal, nobody.signal]),
  );
  return { result: summaryOf(findings, load), findings };
}

function summaryOf(
  { delivery, connections, ingest, timeline }: RunFindings,
  { viewers, seconds }: DeliveryCheckLoad,
): DeliveryCheckResult {
  const deliveries = timeline.reduce((total, second) => total + second.deliveries, 0);
  const watched = delivery.viewers.checked;
  const { p50, p95, p99, max } = delivery.latency;
  return {
    viewers: watched,
    refused: viewers - watched,
    seconds,
    sent: ingest.acknowledged,
    deliveries,
    deliveriesPerSecond: Math.round(deliveries / seconds),
    missed: delivery.announced,
    wrong: watched - delivery.viewers.exact,
    lost: connections.lost,
    ...(p50 === null || p95 === null || p99 === null || max === null
      ? {}
      : { latencyMs: { p50: round(p50), p95: round(p95), p99: round(p99), max: round(max) } }),
  };
}

/** The result as lines for a person. */
export function deliveryCheckLines(result: DeliveryCheckResult): string[] {
  const { viewers, refused, seconds, sent, deliveries, deliveriesPerSecond, missed, wrong, lost, latencyMs } =
    result;
  return [
    `${viewers} viewers, ${sent} events sent in ${seconds} s`,
    `${deliveries} deliveries, ${deliveriesPerSecond}/s`,
    ...(latencyMs === undefined
      ? []
      : [
          `latency ms: p50 ${latencyMs.p50}, p95 ${latencyMs.p95}, p99 ${latencyMs.p99}, max ${latencyMs.max}`,
        ]),
    ...(refused > 0 ? [`${refused} could not connect`] : []),
    ...(lost > 0 ? [`${lost} connections were lost`] : []),
    ...(wrong > 0 ? [`${wrong} did not get each event once`] : []),
    ...(missed > 0 ? [`${missed} deliveries were left out and announced (gaps)`] : []),
  ];
}

/** Whether every viewer got everything, so that scripts may rely on it. */
export function isClean({ refused, wrong, lost, missed, sent }: DeliveryCheckResult): boolean {
  return refused + wrong + lost + missed === 0 && sent > 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

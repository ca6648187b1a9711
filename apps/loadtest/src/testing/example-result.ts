import { analyse, type CalibrationFigures } from '../analysis/analyse.ts';
import type {
  DeliveryResult,
  Finding,
  Latency,
  ObjectiveResult,
  ResourceLook,
  ResourceResult,
  RunResult,
  Second,
} from '../result.ts';
import type { Measured } from '../verdict/measured.ts';

/**
 * A result for tests of reports and for looking at them. It is computed, never measured: the same for every call, and its description says
 * so. `not-ready` has lost events and a missed objective, `not-shown` a generator that was the limit and no metrics of the server.
 */
export function exampleResult(overall: RunResult['verdict']['overall']): RunResult {
  const measured = overall !== 'not-shown';
  const timeline = Array.from({ length: durationS }, (_, atS) => exampleSecond(atS, measured));
  const deliveries = timeline.reduce((sum, second) => sum + second.deliveries, 0);
  const sent = timeline.reduce((sum, second) => sum + second.sent, 0);
  const findings: Measured = {
    format: 1,
    run: `example-${overall}`,
    scenario: { name: 'example', description: 'Computed by a function, to show what a report looks like.' },
    target: {
      kind: 'logloom',
      url: 'http://127.0.0.1:4380',
      moreUrls: ['http://127.0.0.1:4381'],
      isHidden: true,
    },
    startedAt: '2026-01-01T00:00:00.000Z',
    durationS,
    conditions: {
      node: 'v24.0.0',
      platform: 'linux x64',
      cpuModel: 'Example CPU',
      cpuCount: 4,
      memoryBytes: 8 * 2 ** 30,
      loadAverage: 0.25,
    },
    stages: stages.map(({ name, fromS, toS }) => {
      const seconds = timeline.slice(fromS, toS);
      return {
        name,
        fromS,
        toS,
        viewers: { atStart: seconds[0]!.viewers, atEnd: seconds.at(-1)!.viewers },
        eventsSent: seconds.reduce((sum, second) => sum + second.sent, 0),
        deliveries: seconds.reduce((sum, second) => sum + second.deliveries, 0),
        deliveryLatency: latencyOf(seconds),
        connectLatency: { ...noLatency, count: 0 },
      };
    }),
    timeline,
    incidents: [
      { atS: 60, kind: 'connection-lost', reason: 'ECONNRESET', address: '127.0.0.1', count: 250 },
      { atS: 61, kind: 'connect-failed', reason: 'ECONNREFUSED', address: '127.0.0.1', count: 1 },
    ],
    delivery: exampleDelivery(overall, deliveries, latencyOf(timeline)),
    ingest: {
      receivers: ['json'],
      acknowledges: true,
      intended: sent,
      acknowledged: sent - 3,
      refused: 2,
      unknown: 1,
      retries: 4,
      requestsByStatus: { '200': sent - 3, '503': 6 },
      latency: { count: sent - 3, p50: 1.1, p95: 3.4, p99: 6.2, p999: 14, p9999: 31, max: 42 },
    },
    search: measured
      ? {
          acknowledged: sent - 3,
          found: sent - 3,
          checked: sent - 3,
          duplicated: 0,
          settledS: 1.5,
          requests: { expected: 400, found: 400, checked: 400, broken: 0 },
          example: null,
        }
      : null,
    connections: {
      attempted: 1_250,
      connected: 1_249,
      failed: 1,
      lost: 250,
      resumed: 250,
      watching: 1_000,
      shouldWatch: 1_000,
      failuresByReason: { ECONNREFUSED: 1 },
      latency: { count: 1_249, p50: 4.2, p95: 11, p99: 19, p999: 40, p9999: null, max: 55 },
    },
    faults: [
      {
        kind: 'cut-connections',
        startedS: 60,
        endedS: 66,
        detectedS: 60.4,
        detectedBy: 'viewers without a connection',
        degradedS: 60.3,
        recoveredS: overall === 'not-ready' ? null : 70.5,
        missing: { undelivered: 12, refused: 2, unknown: 1 },
        alerts: measured
          ? [{ name: 'ViewersDisconnected', severity: 'warning', firedS: 75, resolvedS: 105 }]
          : null,
        detail: 'a quarter of the viewers',
        undone: true,
      },
    ],
    generator: {
      processes: 2,
      maxCpu: measured ? 0.62 : 0.99,
      loopDelayP99Ms: measured ? 3.1 : 140,
      latenessP99Ms: measured ? 1.8 : 210,
      limits: measured
        ? []
        : ['a process of the generator used 99 % of a core, so its latencies include its own waiting'],
      limitedS: measured ? [] : Array.from({ length: 60 }, (_, atS) => atS),
    },
    server: measured
      ? {
          cpuShareMean: 0.41,
          memoryMaxBytes: 620 * 2 ** 20,
          memoryPerConnectionBytes: 61_000,
          memoryGrowth: null,
          version: '0.1.0',
        }
      : null,
    resources: measured ? exampleResources() : null,
  };
  return {
    ...findings,
    verdict: {
      overall,
      objectives: exampleObjectives(overall, latencyOf(timeline).p95!),
      grade: { ready: 'A', 'not-ready': 'D', 'not-shown': null }[overall],
    },
    analysis: analyse(findings, exampleCalibration),
  };
}

const exampleCalibration: CalibrationFigures = {
  'connections-cut': { led: 40, right: 31, interval: [0.625, 0.877] },
};
const durationS = 120;
const mostViewers = 1_000;
const stages = [
  { name: 'ramp', fromS: 0, toS: 30 },
  { name: 'hold', fromS: 30, toS: 60 },
  { name: 'fault', fromS: 60, toS: 90 },
  { name: 'recovery', fromS: 90, toS: 120 },
];
const noLatency: Latency = { count: 0, p50: null, p95: null, p99: null, p999: null, p9999: null, max: null };

function exampleSecond(atS: number, measured: boolean): Second {
  const cut = atS >= 60 && atS < 66;
  const viewers = Math.round(Math.min(1, (atS + 1) / 30) * mostViewers * (cut ? 0.75 : 1));
  const slower = cut ? 8 : 1;
  const wave = 1 + 0.2 * Math.sin(atS / 3);
  const delivered = atS > 0;
  const latency = (ms: number): number | null => (delivered ? ms * wave * slower : null);
  return {
    atS,
    viewers,
    due: 8,
    sent: 8,
    acknowledged: cut ? 7 : 8,
    deliveries: delivered ? viewers * 8 : 0,
    receivedBytes: delivered ? viewers * 8 * 310 : 0,
    connects: atS < 30 ? 33 : 0,
    connectFailures: atS === 61 ? 1 : 0,
    disconnects: atS === 60 ? 250 : 0,
    p50Ms: latency(4),
    p95Ms: latency(17),
    p99Ms: latency(31),
    maxMs: latency(62),
    generatorCpu: measured ? 0.5 + 0.1 * wave : 0.99,
    serverCpu: measured ? 0.3 + 0.0001 * viewers * wave : null,
    serverMemoryBytes: measured ? (420 + viewers / 5) * 2 ** 20 : null,
    serverLoopDelayMs: measured ? 4 * wave * slower : null,
    serverLoopShare: measured ? 0.3 * wave : null,
  };
}

function exampleResources(): ResourceResult {
  const look = (atS: number, stage: string | null, viewers: number): ResourceLook => ({
    atS,
    stage,
    viewers,
    generator: { processes: 2, memoryBytes: 90e6 + 9_000 * viewers, descriptors: 60 + viewers },
    server: { processes: 1, memoryBytes: 300e6 + 6_000 * viewers, descriptors: 120 + viewers },
    kernel: {
      tcpSockets: 40 + 2 * viewers,
      timeWaitSockets: 0,
      bufferBytes: 65_536,
      objectBytes: 150e6 + 10_000 * viewers,
    },
  });
  return {
    hasServer: true,
    looks: [look(0, null, 0), ...stages.map(({ name, toS }) => look(toS, name, mostViewers))],
  };
}

function latencyOf(seconds: readonly Second[]): Latency {
  const median = (key: 'p50Ms' | 'p95Ms' | 'p99Ms' | 'maxMs'): number =>
    seconds.map((second) => second[key] ?? 0).sort((a, b) => a - b)[Math.floor(seconds.length / 2)]!;
  return {
    count: seconds.reduce((sum, second) => sum + second.deliveries, 0),
    p50: median('p50Ms'),
    p95: median('p95Ms'),
    p99: median('p99Ms'),
    p999: median('maxMs'),
    p9999: null,
    max: median('maxMs'),
  };
}

const nothing = (): Finding => ({ count: 0, viewers: 0, example: null });

function exampleDelivery(
  overall: RunResult['verdict']['overall'],
  received: number,
  latency: Latency,
): DeliveryResult {
  const lost: Finding =
    overall === 'not-ready'
      ? {
          count: 12,
          viewers: 3,
          example: {
            viewer: 17,
            filter: 'service:checkout',
            event: 512,
            partition: 2,
            offset: 1_204,
            cursor: '2:1203',
            atS: 64.2,
            detail: '12 are missing, and none was announced',
            id: '2-1204',
            lookUp: "logloom search 'attributes.loadtest.n:512'",
          },
        }
      : nothing();
  return {
    expected: received + 40 + lost.count,
    received,
    announced: 40,
    lost,
    underAnnounced: nothing(),
    duplicated: nothing(),
    disordered: nothing(),
    corrupted: nothing(),
    unexpected: nothing(),
    overAnnounced: nothing(),
    viewers: { checked: mostViewers, exact: mostViewers - lost.viewers },
    latency,
  };
}

function exampleObjectives(overall: RunResult['verdict']['overall'], p95Ms: number): ObjectiveResult[] {
  const lost: ObjectiveResult = {
    metric: 'delivery-lost',
    title: 'Events lost without an announcement',
    relation: 'at-most',
    bound: 0,
    unit: 'events',
    value: overall === 'not-ready' ? 12 : 0,
    interval: null,
    outcome: overall === 'not-ready' ? 'missed' : 'met',
    reason: overall === 'not-ready' ? '12 events reached no viewer and no gap names them' : 'none was lost',
    smallestChange: 1,
  };
  const latency: ObjectiveResult = {
    metric: 'delivery-p95-ms',
    title: '95 % of deliveries take less than 100 ms',
    relation: 'at-most',
    bound: 100,
    unit: 'ms',
    value: overall === 'not-shown' ? null : p95Ms,
    interval: overall === 'not-shown' ? null : [p95Ms - 2, p95Ms + 2],
    outcome: overall === 'not-shown' ? 'not-shown' : 'met',
    reason:
      overall === 'not-shown'
        ? 'the generator was the limit: run the scenario again with more processes'
        : 'the whole interval lies below the bound',
    smallestChange: overall === 'not-shown' ? null : 2.2,
  };
  return [lost, latency];
}

import type { Finding, Latency, Second } from '../../result.ts';
import type { Measured } from '../measured.ts';

const none: Finding = { count: 0, viewers: 0, example: null };

export function latency(p50: number | null, p95 = p50, p99 = p95): Latency {
  return { count: p50 === null ? 0 : 100_000, p50, p95, p99, p999: p99, p9999: p99, max: p99 };
}

export function second(atS: number, p95Ms: number | null, more: Partial<Second> = {}): Second {
  return {
    atS,
    viewers: 1000,
    due: 10,
    sent: 10,
    acknowledged: 10,
    deliveries: p95Ms === null ? 0 : 10_000,
    receivedBytes: 1_000_000,
    connects: 0,
    connectFailures: 0,
    disconnects: 0,
    p50Ms: p95Ms === null ? null : p95Ms / 2,
    p95Ms,
    p99Ms: p95Ms === null ? null : p95Ms * 1.2,
    maxMs: p95Ms === null ? null : p95Ms * 1.5,
    generatorCpu: 0.3,
    serverCpu: 0.4,
    serverMemoryBytes: 500_000_000,
    serverLoopDelayMs: 5,
    serverLoopShare: 0.4,
    ...more,
  };
}

/** A sound run of which every default objective is met, or with what `change` replaces. */
export function sampleRun(p95s: readonly (number | null)[], change: Partial<Measured> = {}): Measured {
  const timeline = p95s.map((p95, index) => second(index, p95));
  const measured = p95s.filter((p95) => p95 !== null).toSorted((a, b) => a - b);
  const middle = measured.length ? measured[measured.length >> 1]! : null;
  return {
    format: 1,
    run: 'sample',
    scenario: { name: 'sample', description: '' },
    target: { kind: 'logloom', url: 'http://127.0.0.1:4380' },
    startedAt: '2026-11-28T00:00:00Z',
    durationS: timeline.length,
    conditions: {
      node: 'v24.0.0',
      platform: 'linux',
      cpuModel: 'cpu',
      cpuCount: 2,
      memoryBytes: 8e9,
      loadAverage: 0,
    },
    stages: [],
    timeline,
    incidents: [],
    delivery: {
      expected: 10_000 * timeline.length,
      received: 10_000 * timeline.length,
      announced: 0,
      lost: none,
      underAnnounced: none,
      duplicated: none,
      disordered: none,
      corrupted: none,
      unexpected: none,
      overAnnounced: none,
      viewers: { checked: 1000, exact: 1000 },
      latency: latency(middle === null ? null : middle / 2, middle, middle === null ? null : middle * 1.2),
    },
    ingest: {
      intended: 20_000,
      acknowledged: 20_000,
      refused: 0,
      unknown: 0,
      retries: 0,
      requestsByStatus: { 200: 20_000 },
      latency: latency(3),
    },
    search: {
      acknowledged: 20_000,
      found: 20_000,
      checked: 20_000,
      duplicated: 0,
      settledS: 1,
      requests: { expected: 3000, found: 3000, checked: 3000, broken: 0 },
      example: null,
    },
    connections: {
      attempted: 1000,
      connected: 1000,
      failed: 0,
      lost: 0,
      resumed: 0,
      watching: 1000,
      shouldWatch: 1000,
      failuresByReason: {},
      latency: latency(5),
    },
    faults: [],
    generator: { processes: 2, maxCpu: 0.3, loopDelayP99Ms: 2, latenessP99Ms: 2, limits: [], limitedS: [] },
    server: {
      cpuShareMean: 0.4,
      memoryMaxBytes: 500_000_000,
      memoryPerConnectionBytes: 20_000,
      memoryGrowth: null,
      version: '0.1.0',
    },
    ...change,
  };
}

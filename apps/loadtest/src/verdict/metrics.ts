import type { FaultKind } from '../oracle/viewer-ledger.ts';
import type { DeliveryResult, Second } from '../result.ts';
import type { Measured } from './measured.ts';
import { latencyOf, meanOf, type BlockValue } from './blocks.ts';
import type { Interval } from './interval.ts';

/** What a run says about a metric, by the way in which it is judged. */
export type Reading =
  /** Nothing was measured; `missing` says why, and `toDecide` what to run instead of what decides otherwise. */
  | { kind: 'missing'; missing: string; toDecide?: string }
  /** A figure over the run, with its value in any part of it. `quantile` of a latency. */
  | { kind: 'blocks'; value: number; block: BlockValue; quantile?: number }
  /** How many of n; complete, so it is judged as it is. */
  | { kind: 'count'; count: number; of: number; noun: string }
  /** A share of trials in percent; `parts` show whether failures come together. */
  | { kind: 'share'; failures: number; trials: number; parts: { failures: number; trials: number }[] }
  /** The highest rate kept for `windowS`, and the highest that was asked for. */
  | { kind: 'rate'; value: number; asked: number; windowS: number }
  /** A slope with its interval of 95 %. */
  | { kind: 'slope'; value: number; interval: Interval; by: string }
  /** A single figure without an interval. */
  | { kind: 'figure'; value: number; atLeastSoMuch?: boolean };

/** What was measured, as one number: a share in percent. */
export function valueOf(reading: Exclude<Reading, { kind: 'missing' }>): number {
  if (reading.kind === 'count') return reading.count;
  return reading.kind === 'share' ? (100 * reading.failures) / reading.trials : reading.value;
}

export interface Metric {
  name: string;
  title: string;
  unit: string;
  /** `integrity`: what is wrong here is wrong whatever the speed. */
  kind: 'integrity' | 'errors' | 'latency' | 'rate' | 'resource' | 'recovery';
  /** A process keeps it from run to run: all runs of one process together are one measurement. */
  isOfProcess?: true;
  /** What to run to decide where a run does not show it. */
  toDecide: string;
  read(result: Measured): Reading;
}

const longer = 'hold the load for longer';
const toSee = 'run a scenario with viewers whose filters match events';

function quantile(name: 'p50' | 'p95' | 'p99', share: number): Metric {
  return {
    name: `delivery-${name}-ms`,
    title: `${name.toUpperCase()} from the intended time of an event to its delivery`,
    unit: 'ms',
    kind: 'latency',
    toDecide: longer,
    read: ({ delivery }) => {
      const value = delivery.latency[name];
      return value === null
        ? { kind: 'missing', missing: 'nothing was delivered' }
        : { kind: 'blocks', value, block: latencyOf(share), quantile: share };
    },
  };
}

/** `kinds` of findings, of so many deliveries. */
function finding(
  name: string,
  title: string,
  kinds: readonly FaultKind[],
  deliveriesOf: (delivery: DeliveryResult) => number = ({ received }) => received,
): Metric {
  return {
    name,
    title,
    unit: 'events',
    kind: 'integrity',
    toDecide: toSee,
    read: ({ delivery }) => {
      const count = kinds.reduce((sum, kind) => sum + delivery[kind].count, 0);
      const of = deliveriesOf(delivery);
      // What was found is wrong even where little could be looked at.
      if (count === 0 && delivery.viewers.checked === 0)
        return { kind: 'missing', missing: 'no viewer could be checked' };
      if (count === 0 && of === 0) return { kind: 'missing', missing: 'there was nothing to check' };
      return { kind: 'count', count, of: Math.max(of, count), noun: 'deliveries' };
    },
  };
}

/** Highest mean of any `windowS` seconds in a row; null where the timeline is shorter. */
export function highestMean(values: readonly number[], windowS: number): number | null {
  if (values.length < windowS) return null;
  let sum = values.slice(0, windowS).reduce((total, value) => total + value, 0);
  let highest = sum;
  for (let index = windowS; index < values.length; index++) {
    sum += values[index]! - values[index - windowS]!;
    highest = Math.max(highest, sum);
  }
  return highest / windowS;
}

function rate(
  name: string,
  title: string,
  windowS: number,
  done: (second: Second) => number,
  askedOf: (result: Measured) => number[],
): Metric {
  return {
    name,
    title: `${title}, the most kept for ${windowS} s`,
    unit: '/s',
    kind: 'rate',
    toDecide: 'run a scenario that asks for more',
    read: (result) => {
      const value = highestMean(result.timeline.map(done), windowS);
      const asked = highestMean(askedOf(result), windowS);
      return value === null || asked === null
        ? { kind: 'missing', missing: `the run took less than ${windowS} s` }
        : { kind: 'rate', value, asked, windowS };
    },
  };
}

/** Deliveries that were due in each second: all that were expected, spread by events times viewers. */
function dueDeliveries({ timeline, delivery }: Measured): number[] {
  const weights = timeline.map((second) => second.sent * second.viewers);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? (delivery.expected * weight) / total : 0));
}

function share(
  name: string,
  title: string,
  count: (result: Measured) => { failures: number; trials: number },
): Metric {
  return {
    name,
    title,
    unit: '%',
    kind: 'errors',
    toDecide: 'run more connections and events',
    read: (result) => {
      const { failures, trials } = count(result);
      if (trials === 0) return { kind: 'missing', missing: 'nothing was attempted' };
      const parts: { failures: number; trials: number }[] = [];
      for (let from = 0; from < result.timeline.length; from += 5) {
        const seconds = result.timeline.slice(from, from + 5);
        const failed = seconds.reduce((sum, second) => sum + second.connectFailures, 0);
        parts.push({
          failures: failed,
          trials: failed + seconds.reduce((sum, second) => sum + second.connects, 0),
        });
      }
      return { kind: 'share', failures, trials, parts };
    },
  };
}

const connects = ({ connections }: Measured) => ({
  failures: connections.failed,
  trials: connections.attempted,
});
/** Where nobody says what was refused, events are no trials. */
const ingested = ({ ingest }: Measured) =>
  isTold(ingest)
    ? { failures: ingest.refused, trials: ingest.acknowledged + ingest.refused + ingest.unknown }
    : { failures: 0, trials: 0 };

function isTold({ acknowledges = true }: Measured['ingest']): boolean {
  return acknowledges;
}

const untold: Reading = {
  kind: 'missing',
  missing: 'the receiver acknowledges nothing',
  toDecide: 'send events to one that does',
};

/** The metric, where receivers say what became of each event. */
function whereTold(metric: Metric): Metric {
  return { ...metric, read: (result) => (isTold(result.ingest) ? metric.read(result) : untold) };
}

/** Every metric that an objective can name, in the order of reports. */
export const metrics: readonly Metric[] = [
  finding(
    'lost',
    'Events neither delivered nor announced as left out',
    ['lost', 'underAnnounced'],
    ({ expected }) => expected,
  ),
  finding('duplicated', 'Events delivered more than once', ['duplicated']),
  finding('disordered', 'Events delivered out of order', ['disordered']),
  finding('corrupted', 'Events delivered with other content than was sent', ['corrupted']),
  finding('unexpected', 'Events delivered that the filter does not match', ['unexpected']),
  finding(
    'under-announced',
    'Events missing beyond what gaps announced, as part of those lost',
    ['underAnnounced'],
    ({ announced }) => announced,
  ),
  finding(
    'over-announced',
    'Events announced as left out that were not',
    ['overAnnounced'],
    ({ expected }) => expected,
  ),
  {
    name: 'ingest-unknown',
    title: 'Events sent that were neither acknowledged nor refused',
    unit: 'events',
    kind: 'integrity',
    toDecide: 'run a scenario that sends events',
    read: ({ ingest }) => {
      if (!isTold(ingest)) return untold;
      const of = ingest.acknowledged + ingest.refused + ingest.unknown;
      return of === 0
        ? { kind: 'missing', missing: 'nothing was sent' }
        : { kind: 'count', count: ingest.unknown, of, noun: 'events' };
    },
  },
  {
    name: 'search-lost',
    title: 'Acknowledged events that search does not find',
    unit: 'events',
    kind: 'integrity',
    toDecide: 'run against a target with search, and let it check',
    read: ({ search }) =>
      search === null || search.acknowledged === 0
        ? { kind: 'missing', missing: 'search was not checked' }
        : {
            kind: 'count',
            count: Math.max(0, search.acknowledged - search.found),
            of: search.acknowledged,
            noun: 'events',
          },
  },
  {
    name: 'search-duplicated',
    title: 'Events that search finds more than once',
    unit: 'events',
    kind: 'integrity',
    toDecide: 'run against a target with search, and let it check',
    read: ({ search }) =>
      search === null || search.checked === 0
        ? { kind: 'missing', missing: 'search was not checked' }
        : { kind: 'count', count: search.duplicated, of: search.checked, noun: 'events' },
  },
  {
    name: 'requests-broken',
    title: 'Correlated requests that are missing or not whole',
    unit: 'requests',
    kind: 'integrity',
    toDecide: 'run against a target that correlates, and let it check',
    read: ({ search }) => {
      if (search === null || search.requests.expected === 0 || search.requests.checked === 0) {
        return { kind: 'missing', missing: 'correlated requests were not checked' };
      }
      const { expected, found, checked, broken } = search.requests;
      return {
        kind: 'count',
        count: Math.max(0, expected - found) + broken,
        // Of a sample, what it excludes follows from its size.
        of: Math.max(checked, expected - found + broken),
        noun: 'requests',
      };
    },
  },
  {
    name: 'not-watching',
    title: 'Viewers that should have watched at the end and did not',
    unit: 'viewers',
    kind: 'integrity',
    toDecide: 'run a scenario with viewers at its end',
    read: ({ connections: { watching, shouldWatch } }) =>
      shouldWatch === 0
        ? { kind: 'missing', missing: 'no viewer should have watched at the end' }
        : { kind: 'count', count: Math.max(0, shouldWatch - watching), of: shouldWatch, noun: 'viewers' },
  },
  share('errors-percent', 'Failed connections and refused events, of all attempted', (result) => ({
    failures: connects(result).failures + ingested(result).failures,
    trials: connects(result).trials + ingested(result).trials,
  })),
  share('connect-failures-percent', 'Failed connections, of those attempted', connects),
  whereTold(share('refused-percent', 'Refused events, of those sent', ingested)),
  quantile('p50', 0.5),
  quantile('p95', 0.95),
  quantile('p99', 0.99),
  rate(
    'connects-per-second',
    'Connections made a second',
    10,
    (second) => second.connects,
    ({ timeline }) => timeline.map((second) => second.connects + second.connectFailures),
  ),
  rate(
    'deliveries-per-second',
    'Events delivered a second',
    30,
    (second) => second.deliveries,
    dueDeliveries,
  ),
  whereTold(
    rate(
      'events-per-second',
      'Events acknowledged a second',
      30,
      (second) => second.acknowledged,
      ({ timeline }) => timeline.map((second) => second.sent),
    ),
  ),
  {
    name: 'server-cpu-percent',
    title: "CPU of the server's machine, all cores, mean of the run",
    unit: '%',
    kind: 'resource',
    toDecide: "let the run read the server's metrics, for longer",
    read: ({ timeline }) => {
      const block = meanOf((second) => (second.serverCpu === null ? null : second.serverCpu * 100));
      const value = block(timeline);
      return value === null
        ? { kind: 'missing', missing: "the server's metrics could not be read" }
        : { kind: 'blocks', value, block };
    },
  },
  {
    name: 'memory-per-connection-bytes',
    title: "Memory of the server's processes by connection, in the fullest second",
    unit: 'bytes',
    kind: 'resource',
    isOfProcess: true,
    toDecide: "let the run read the server's metrics",
    read: ({ server }) =>
      server === null || server.memoryPerConnectionBytes === null
        ? { kind: 'missing', missing: "the server's metrics could not be read" }
        : { kind: 'figure', value: server.memoryPerConnectionBytes },
  },
  {
    name: 'server-cpu-per-delivery-us',
    title: "CPU of the server's processes by delivery, all that it does included",
    unit: 'us',
    kind: 'resource',
    toDecide: "let the run read the server's metrics, for longer",
    read: ({ timeline, conditions }) => {
      const block: BlockValue = (seconds) => {
        const used = seconds.filter(({ serverCpu }) => serverCpu !== null);
        const deliveries = used.reduce((sum, each) => sum + each.deliveries, 0);
        const cpuS = used.reduce((sum, { serverCpu }) => sum + serverCpu! * conditions.cpuCount, 0);
        return deliveries === 0 ? null : (cpuS * 1e6) / deliveries;
      };
      // Seconds of a stage that delivers nothing say nothing about deliveries.
      const value = block(timeline.filter(({ deliveries }) => deliveries > 0));
      return value === null
        ? { kind: 'missing', missing: "nothing was delivered, or the server's metrics could not be read" }
        : { kind: 'blocks', value, block };
    },
  },
  {
    name: 'memory-growth-per-connection-bytes',
    title: 'Memory that each connection leaves behind in the threads that serve viewers',
    unit: 'bytes',
    kind: 'resource',
    toDecide: 'run the scenario leak, for longer',
    read: ({ server }) =>
      server === null || server.memoryGrowth === null
        ? { kind: 'missing', missing: 'fewer than six collections of the heap were seen' }
        : {
            kind: 'slope',
            value: server.memoryGrowth.perConnectionBytes,
            interval: server.memoryGrowth.interval,
            by: `${server.memoryGrowth.collections} collections in ${server.memoryGrowth.connections} connections`,
          },
  },
  {
    name: 'recovery-s',
    title: 'From the end of a fault until every viewer watched and latency was as before, the slowest',
    unit: 's',
    kind: 'recovery',
    toDecide: 'run for longer after the last fault',
    read: ({ faults, durationS }) => {
      if (faults.length === 0) return { kind: 'missing', missing: 'no fault was injected' };
      const unseen = faults.find((fault) => fault.detectedS === null && fault.recoveredS === null);
      if (unseen)
        return {
          kind: 'missing',
          missing: `nothing changed by the fault ${unseen.kind} beyond what changes without it`,
          toDecide: 'make it stronger, or run where nothing else takes the machine',
        };
      const times = faults.map((fault) => Math.max(0, (fault.recoveredS ?? durationS) - fault.endedS));
      return {
        kind: 'figure',
        value: Math.max(...times),
        atLeastSoMuch: faults.some((fault) => fault.recoveredS === null),
      };
    },
  },
];

import { Counter, Gauge, messagingSpan, type SpanSpec, type Telemetry } from '@logloom/telemetry';
import type { StreamStats } from './stream/live-stats.ts';

/** The spans of the live tier. Each node reads the whole log: there is no consumer group. */
export const spans = {
  process: (topic: string): SpanSpec => messagingSpan('process', topic),
  broadcast: { name: 'broadcast', kind: 'internal' },
} satisfies Record<string, SpanSpec | ((topic: string) => SpanSpec)>;

/** A stream, as its metrics are read. */
export interface MeasuredStream {
  kind: { name: string };
  stats: StreamStats;
  broadcast: {
    counts: { tests: number; flushes: number; deliveries: number };
    channelCount: number;
  };
}

/** What the metrics are read from when they are asked for; viewers by transport. */
export interface LiveMetricsSource {
  viewers: () => Readonly<Record<string, number>>;
  /** Of all kinds, and how many were closed or refused because there were too many. */
  connections: () => { open: number; cut: number };
  streams: () => readonly MeasuredStream[];
  /** Documents that viewers with imposed filters are behind the others. */
  visibleBehind: () => number;
}

const totals: [name: string, help: string, value: (stream: MeasuredStream) => number][] = [
  ['events', 'Events or correlations broadcast, without duplicates', ({ stats }) => stats.events],
  ['copies', 'Records dropped because they are duplicates of earlier ones', ({ stats }) => stats.duplicates],
  ['undecodable', 'Records that could not be read and went to nobody', ({ stats }) => stats.undecodable],
  ['tests', 'Tests of an event against a filter', ({ broadcast }) => broadcast.counts.tests],
  ['batches', 'Batches made, one for all viewers of a channel', ({ broadcast }) => broadcast.counts.flushes],
  ['deliveries', 'Events in batches times viewers', ({ broadcast }) => broadcast.counts.deliveries],
  ['missed', 'Deliveries left out for slow viewers, announced as gaps', ({ stats }) => stats.missed],
  ['gaps', 'Gaps announced to viewers', ({ stats }) => stats.gaps],
  ['steps_down', 'Times that a slow viewer fell below the level full', ({ stats }) => stats.stepsDown],
  ['evictions', 'Slow viewers that were told to come back later', ({ stats }) => stats.evictions],
  ['catch_ups', 'Subscriptions that began in the past', ({ stats }) => stats.catchUps],
  ['catch_up_events', 'Events sent to viewers who caught up', ({ stats }) => stats.catchUpEvents],
];

/** Registers every metric of the live tier. */
export function registerLiveMetrics({ registry }: Telemetry, source: LiveMetricsSource): void {
  const registers = [registry];
  for (const [name, help, value] of totals) {
    new Counter({
      name: `logloom_live_${name}_total`,
      help,
      labelNames: ['stream'],
      registers,
      collect() {
        this.reset();
        for (const stream of source.streams()) this.inc({ stream: stream.kind.name }, value(stream));
      },
    });
  }
  new Gauge({
    name: 'logloom_live_connections',
    help: 'Open connections to the live port, of viewers and others',
    registers,
    collect() {
      this.set(source.connections().open);
    },
  });
  new Counter({
    name: 'logloom_live_connections_cut_total',
    help: 'Connections closed while idle, or refused, because the port had reached its limit',
    registers,
    collect() {
      this.reset();
      this.inc(source.connections().cut);
    },
  });
  new Gauge({
    name: 'logloom_live_viewers',
    help: 'Viewers, by how they are connected',
    labelNames: ['transport'],
    registers,
    collect() {
      for (const [transport, count] of Object.entries(source.viewers())) this.set({ transport }, count);
    },
  });
  new Gauge({
    name: 'logloom_live_visible_behind',
    help: 'Documents whose members are still to be read for viewers with imposed filters',
    registers,
    collect() {
      this.set(source.visibleBehind());
    },
  });
  for (const [name, help, value] of [
    ['channels', 'Distinct filters with viewers', (stream: MeasuredStream) => stream.broadcast.channelCount],
    [
      'catching_up',
      'Subscriptions that are not live yet',
      ({ stats }: { stats: StreamStats }) => stats.catchingUp,
    ],
  ] as const) {
    new Gauge({
      name: `logloom_live_${name}`,
      help,
      labelNames: ['stream'],
      registers,
      collect() {
        for (const stream of source.streams()) this.set({ stream: stream.kind.name }, value(stream));
      },
    });
  }
}

import { observeBudget } from '@logloom/runtime';
import {
  combinations,
  counter,
  declareMetrics,
  gauge,
  messagingSpan,
  type SpanSpec,
  type Telemetry,
} from '@logloom/telemetry';
import type { LiveCounts } from './server/live-counts.ts';
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

/** The sources of the metrics, read on demand; viewers by transport. */
export interface LiveMetricsSource {
  viewers: () => Readonly<Record<string, number>>;
  /** Connections of all kinds, and how many were closed or refused because there were too many. */
  connections: () => { open: number; cut: number };
  streams: () => readonly MeasuredStream[];
  maxViewers: number;
  waitingHandshakes: () => number;
  counts: LiveCounts;
  /** What waits for all viewers together. */
  memory: { totalBytes: number; queuedBytes: number; cut: number };
  /** Documents that viewers with imposed filters are behind the others. */
  visibleBehind: () => number;
}

const stream = { stream: 'events, correlations, and correlations under imposed filters' };

/** The metrics of the live tier; each is read when it is asked for. */
export const liveMetrics = declareMetrics('services/fanout', {
  connections: gauge({
    name: 'logloom_live_connections',
    unit: 'connections',
    help: 'Open connections to the live port, of viewers and others',
  }),
  connectionsCut: counter({
    name: 'logloom_live_connections_cut_total',
    unit: 'connections',
    help: 'Connections closed while idle, or refused, because the port had reached its limit',
  }),
  viewers: gauge({
    name: 'logloom_live_viewers',
    unit: 'viewers',
    help: 'Viewers, by how they are connected',
    labels: { transport: 'websocket, sse, poll' },
  }),
  maxViewers: gauge({
    name: 'logloom_live_max_viewers',
    unit: 'viewers',
    help: 'Viewers over this are refused (`LIVE_MAX_VIEWERS`), in all processes of the node',
  }),
  waitingHandshakes: gauge({
    name: 'logloom_live_waiting_handshakes',
    unit: 'handshakes',
    help: 'Viewers that wait to be let in',
  }),
  refusals: counter({
    name: 'logloom_live_refusals_total',
    unit: 'requests',
    help: 'Viewers and requests that were refused',
    labels: { reason: 'the error code' },
    known: combinations({
      reason: [
        'too-many-viewers',
        'connections-exhausted',
        'too-many-handshakes',
        'durable-unavailable',
        'log-unavailable',
        'auth-unavailable',
      ],
    }),
  }),
  errors: counter({
    name: 'logloom_live_errors_total',
    unit: 'messages',
    help: 'Errors that connected viewers were told',
    labels: { reason: 'the error code' },
  }),
  ended: counter({
    name: 'logloom_live_ended_viewers_total',
    unit: 'viewers',
    help: 'Viewers that an operator has sent away',
  }),
  memoryCut: counter({
    name: 'logloom_live_memory_cut_viewers_total',
    unit: 'viewers',
    help: 'Viewers that were cut off because the memory budget of all was exceeded',
  }),
  visibleBehind: gauge({
    name: 'logloom_live_visible_behind',
    unit: 'documents',
    help: 'Documents whose members are still to be read for viewers with imposed filters',
  }),
  channels: gauge({
    name: 'logloom_live_channels',
    unit: 'filters',
    help: 'Distinct filters with viewers',
    labels: stream,
  }),
  catchingUp: gauge({
    name: 'logloom_live_catching_up',
    unit: 'subscriptions',
    help: 'Subscriptions that are not live yet',
    labels: stream,
  }),
  modeChanges: counter({
    name: 'logloom_live_mode_changes_total',
    unit: 'changes',
    help: 'Changes of the level at which a viewer is sent a stream',
    labels: { ...stream, mode: 'the new one: full, sampled, counts' },
  }),
});

type StreamTotal = (stream: MeasuredStream) => number;

/** Totals of each stream, with where each is read. */
const streamTotals = {
  events: ['events', 'Events or correlations broadcast, without duplicates', ({ stats }) => stats.events],
  copies: [
    'events',
    'Records dropped because they are duplicates of earlier ones',
    ({ stats }) => stats.duplicates,
  ],
  undecodable: [
    'records',
    'Records that could not be read and were not sent',
    ({ stats }) => stats.undecodable,
  ],
  tests: ['tests', 'Tests of an event against a filter', ({ broadcast }) => broadcast.counts.tests],
  batches: [
    'batches',
    'Batches made, one for all viewers of a channel',
    ({ broadcast }) => broadcast.counts.flushes,
  ],
  deliveries: ['events', 'Events in batches times viewers', ({ broadcast }) => broadcast.counts.deliveries],
  sent_bytes: [
    'bytes',
    'Bytes written to viewers, before any compression of the connection',
    ({ stats }) => stats.sentBytes,
  ],
  missed: ['events', 'Deliveries left out for slow viewers, announced as gaps', ({ stats }) => stats.missed],
  gaps: ['gaps', 'Gaps announced to viewers', ({ stats }) => stats.gaps],
  steps_down: ['times', 'Times that a slow viewer fell below the level full', ({ stats }) => stats.stepsDown],
  evictions: ['viewers', 'Slow viewers that were told to come back later', ({ stats }) => stats.evictions],
  catch_ups: ['subscriptions', 'Subscriptions that began in the past', ({ stats }) => stats.catchUps],
  catch_up_events: ['events', 'Events sent to viewers who caught up', ({ stats }) => stats.catchUpEvents],
} satisfies Record<string, [unit: string, help: string, value: StreamTotal]>;

export const liveStreamMetrics = declareMetrics(
  'services/fanout',
  Object.fromEntries(
    Object.entries(streamTotals).map(([name, [unit, help]]) => [
      name,
      counter({ name: `logloom_live_${name}_total`, unit, help, labels: stream }),
    ]),
  ),
);

/** The metrics of a node that consists of several processes. */
export const workerMetrics = declareMetrics('services/fanout', {
  workers: gauge({ name: 'logloom_live_workers', unit: 'processes', help: 'Processes that take viewers' }),
  restarts: counter({
    name: 'logloom_live_worker_restarts_total',
    unit: 'processes',
    help: 'Workers that died and were started again',
  }),
});

/** Registers every metric of the live tier. */
export function registerLiveMetrics(
  { registry }: Pick<Telemetry, 'registry'>,
  source: LiveMetricsSource,
): void {
  for (const [name, [, , value]] of Object.entries(streamTotals))
    liveStreamMetrics[name]!.observe(registry, (set) => {
      for (const each of source.streams()) set(value(each), { stream: each.kind.name });
    });
  liveMetrics.connections.observe(registry, (set) => set(source.connections().open));
  liveMetrics.connectionsCut.observe(registry, (set) => set(source.connections().cut));
  liveMetrics.viewers.observe(registry, (set) => {
    for (const [transport, count] of Object.entries(source.viewers())) set(count, { transport });
  });
  liveMetrics.maxViewers.observe(registry, (set) => set(source.maxViewers));
  liveMetrics.waitingHandshakes.observe(registry, (set) => set(source.waitingHandshakes()));
  liveMetrics.refusals.observe(registry, (set) => {
    for (const [reason, count] of source.counts.refusals) set(count, { reason });
  });
  liveMetrics.errors.observe(registry, (set) => {
    for (const [reason, count] of source.counts.errors) set(count, { reason });
  });
  liveMetrics.ended.observe(registry, (set) => set(source.counts.ended));
  liveMetrics.memoryCut.observe(registry, (set) => set(source.memory.cut));
  observeBudget(registry, 'live', source.memory.totalBytes, () => source.memory.queuedBytes);
  liveMetrics.visibleBehind.observe(registry, (set) => set(source.visibleBehind()));
  liveMetrics.channels.observe(registry, (set) => {
    for (const { kind, broadcast } of source.streams()) set(broadcast.channelCount, { stream: kind.name });
  });
  liveMetrics.catchingUp.observe(registry, (set) => {
    for (const { kind, stats } of source.streams()) set(stats.catchingUp, { stream: kind.name });
  });
  liveMetrics.modeChanges.observe(registry, (set) => {
    for (const { kind, stats } of source.streams())
      for (const [mode, count] of Object.entries(stats.modeChanges)) set(count, { stream: kind.name, mode });
  });
}

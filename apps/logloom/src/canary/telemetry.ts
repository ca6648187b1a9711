import { counter, createAll, declareMetrics, gauge, histogram, type Telemetry } from '@logloom/telemetry';

const receiver = { receiver: 'the receiver that they were sent to' };
const byPath = {
  ...receiver,
  path: 'what they were expected on: `searchable` (the search API), `correlated` (their document, live) or `sent` (a live viewer)',
};

/** The metrics of the canary. */
export const canaryMetrics = declareMetrics('apps/logloom', {
  sent: counter({
    name: 'logloom_canary_sent_events_total',
    unit: 'events',
    help: 'Events that the canary sent',
    labels: receiver,
  }),
  refused: counter({
    name: 'logloom_canary_refused_events_total',
    unit: 'events',
    help: 'Events of the canary that a receiver refused or did not acknowledge',
    labels: {
      ...receiver,
      reason: "`unreachable`, `unacknowledged`, or the response's status",
    },
  }),
  expected: counter({
    name: 'logloom_canary_expected_events_total',
    unit: 'events',
    help: 'Acknowledged events of the canary whose fate is known: they arrived, or count as lost',
    labels: byPath,
  }),
  lost: counter({
    name: 'logloom_canary_lost_events_total',
    unit: 'events',
    help: 'Acknowledged events of the canary that had not arrived after CANARY_LOST_AFTER_MS',
    labels: byPath,
  }),
  late: counter({
    name: 'logloom_canary_late_events_total',
    unit: 'events',
    help: 'Events of the canary that arrived after they had been counted as lost',
    labels: byPath,
  }),
  duplicated: counter({
    name: 'logloom_canary_duplicated_events_total',
    unit: 'events',
    help: 'Events of the canary that arrived once more',
    labels: byPath,
  }),
  disordered: counter({
    name: 'logloom_canary_disordered_events_total',
    unit: 'events',
    help: 'Events of the canary that arrived before an earlier one of the same request or connection',
    labels: byPath,
  }),
  age: histogram({
    name: 'logloom_canary_age_seconds',
    unit: 'seconds',
    help: 'Time from sending an event of the canary until it arrived; for documents it includes CORRELATION_IDLE_MS',
    labels: byPath,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60, 120],
  }),
  lastSuccess: gauge({
    name: 'logloom_canary_last_success_timestamp_seconds',
    unit: 'seconds',
    help: 'When the last complete round of the canary arrived; before the first one, when the canary started',
    labels: byPath,
    aggregator: 'max',
  }),
  watchErrors: counter({
    name: 'logloom_canary_watch_errors_total',
    unit: 'errors',
    help: 'Failed searches of the canary, and times that its connection as a viewer ended',
    labels: { path: '`searchable` or `sent`' },
  }),
});

export type CanaryMetrics = ReturnType<typeof createCanaryMetrics>;

export function createCanaryMetrics({ registry }: Pick<Telemetry, 'registry'>) {
  return createAll(canaryMetrics, registry);
}

import { topics } from '@logloom/schemas';
import { Counter, Gauge, messagingSpan, type SpanSpec, type Telemetry } from '@logloom/telemetry';

/** The correlator's spans. */
export const spans = {
  process: messagingSpan('process', topics.events, 'correlator'),
  send: messagingSpan('send', topics.correlations),
} satisfies Record<string, SpanSpec>;

/** The correlator's metrics. */
export function createMetrics({ registry }: Telemetry) {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'logloom_correlator_events_total',
      help: 'Events read from logs.events.',
      registers,
    }),
    duplicates: new Counter({
      name: 'logloom_correlator_copies_total',
      help: 'Replayed events that were dropped.',
      registers,
    }),
    documents: new Counter({
      name: 'logloom_correlator_documents_total',
      help: 'Correlation documents written.',
      labelNames: ['reason'],
      registers,
    }),
    revisions: new Counter({
      name: 'logloom_correlator_late_revisions_total',
      help: 'Documents written again for late events.',
      registers,
    }),
    ticks: new Counter({
      name: 'logloom_correlator_ticks_total',
      help: 'Ticks appended to idle partitions.',
      registers,
    }),
    alerts: new Counter({
      name: 'logloom_correlator_alerts_total',
      help: 'Alerts written to logs.alerts.',
      registers,
    }),
    rulesChanges: new Counter({
      name: 'logloom_correlator_rules_total',
      help: 'Records of rules read from logs.events, the hourly repetitions included.',
      registers,
    }),
    rulesFileErrors: new Counter({
      name: 'logloom_correlator_rules_file_errors_total',
      help: 'Changes of the rules file that could not be used.',
      registers,
    }),
    clockSetbacks: new Counter({
      name: 'logloom_correlator_clock_setbacks_total',
      help: 'How often append times of logs.events decreased by more than a second.',
      registers,
    }),
    shortOfMemory: new Counter({
      name: 'logloom_correlator_short_of_memory_total',
      help: 'Documents that were closed early, or take no late events, because open requests exceeded their memory.',
      registers,
    }),
    sessionBytes: new Gauge({
      name: 'logloom_correlator_group_bytes',
      help: 'Estimated memory of sessions that are open or may be revised.',
      labelNames: ['partition'],
      registers,
    }),
    openWaits: new Gauge({
      name: 'logloom_correlator_open_waits',
      help: 'Events after which a rule still waits for another one.',
      labelNames: ['partition'],
      registers,
    }),
    openSessions: new Gauge({
      name: 'logloom_correlator_open_groups',
      help: 'Sessions that are open now.',
      labelNames: ['partition'],
      registers,
    }),
  };
}

export type CorrelatorMetrics = ReturnType<typeof createMetrics>;

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
    copies: new Counter({
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
    openGroups: new Gauge({
      name: 'logloom_correlator_open_groups',
      help: 'Groups that are open now.',
      labelNames: ['partition'],
      registers,
    }),
  };
}

export type CorrelatorMetrics = ReturnType<typeof createMetrics>;

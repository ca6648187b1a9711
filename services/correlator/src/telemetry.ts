import { topics } from '@logloom/schemas';
import {
  counter,
  createAll,
  declareMetrics,
  gauge,
  messagingSpan,
  type SpanSpec,
  type Telemetry,
} from '@logloom/telemetry';

/** The correlator's spans. */
export const spans = {
  process: messagingSpan('process', topics.events, 'correlator'),
  send: messagingSpan('send', topics.correlations),
} satisfies Record<string, SpanSpec>;

/** The correlator's metrics. */
export const correlatorMetrics = declareMetrics('services/correlator', {
  events: counter({
    name: 'logloom_correlator_events_total',
    unit: 'events',
    help: 'Events read from logs.events',
  }),
  duplicates: counter({
    name: 'logloom_correlator_copies_total',
    unit: 'events',
    help: 'Replayed events that were dropped',
  }),
  documents: counter({
    name: 'logloom_correlator_documents_total',
    unit: 'documents',
    help: 'Correlation documents written',
    labels: { reason: 'rule, idle, max, size, evicted' },
  }),
  revisions: counter({
    name: 'logloom_correlator_late_revisions_total',
    unit: 'documents',
    help: 'Documents written again for late events',
  }),
  ticks: counter({
    name: 'logloom_correlator_ticks_total',
    unit: 'ticks',
    help: 'Ticks appended to idle partitions',
  }),
  alerts: counter({
    name: 'logloom_correlator_alerts_total',
    unit: 'alerts',
    help: 'Alerts written to logs.alerts',
  }),
  rulesChanges: counter({
    name: 'logloom_correlator_rules_total',
    unit: 'records',
    help: 'Records of rules read from logs.events, the hourly repetitions included',
  }),
  rulesFileErrors: counter({
    name: 'logloom_correlator_rules_file_errors_total',
    unit: 'changes',
    help: 'Changes of the rules file that could not be used',
  }),
  windowAlerts: counter({
    name: 'logloom_rules_alert_changes_total',
    unit: 'changes',
    help: 'Changes of alerts of rules over many events that were written to logs.alerts',
  }),
  ruleKeysEvicted: counter({
    name: 'logloom_rules_keys_evicted_total',
    unit: 'keys',
    help: 'Keys of rules over many events that were forgotten because of memory',
  }),
  ruleKeys: gauge({
    name: 'logloom_rules_keys',
    unit: 'keys',
    help: 'Keys of rules over many events that are known',
    labels: { partition: 'the partition of logs.windows' },
  }),
  ruleBytes: gauge({
    name: 'logloom_rules_key_bytes',
    unit: 'bytes',
    help: 'Estimated memory of the keys of rules over many events',
    labels: { partition: 'the partition of logs.windows' },
  }),
  rulesJudgedSeconds: gauge({
    name: 'logloom_rules_judged_timestamp_seconds',
    unit: 'seconds',
    help: 'The time of the log, in seconds since 1970, up to which rules over many events were judged; absent while none are in force',
    labels: { partition: 'the partition of logs.windows' },
  }),
  clockSetbacks: counter({
    name: 'logloom_correlator_clock_setbacks_total',
    unit: 'times',
    help: 'How often append times of logs.events decreased by more than a second',
  }),
  shortOfMemory: counter({
    name: 'logloom_correlator_short_of_memory_total',
    unit: 'documents',
    help: 'Documents that were closed early, or take no late events, because open requests exceeded their memory',
  }),
  backfillShortOfMemory: counter({
    name: 'logloom_correlator_backfill_short_of_memory_total',
    unit: 'documents',
    help: 'Documents of a backfill that were closed early, or take no further events, because its open requests exceeded their memory',
  }),
  backfillBytes: gauge({
    name: 'logloom_correlator_backfill_bytes',
    unit: 'bytes',
    help: 'Estimated memory of sessions of backfilled events that are open or may be revised',
    labels: { partition: 'the partition of logs.events' },
  }),
  sessionBytes: gauge({
    name: 'logloom_correlator_group_bytes',
    unit: 'bytes',
    help: 'Estimated memory of sessions that are open or may be revised, those of backfilled events included',
    labels: { partition: 'the partition of logs.events' },
  }),
  openWaits: gauge({
    name: 'logloom_correlator_open_waits',
    unit: 'events',
    help: 'Events after which a rule still waits for another one',
    labels: { partition: 'the partition of logs.events' },
  }),
  joinRecords: counter({
    name: 'logloom_correlator_join_records_total',
    unit: 'records',
    help: 'Records appended to logs.events because ids join: members that are forwarded to the partition of their request, and links',
  }),
  joinLimited: counter({
    name: 'logloom_correlator_join_limited_ids_total',
    unit: 'ids',
    help: 'Ids that joined too many requests and join no more',
  }),
  links: gauge({
    name: 'logloom_correlator_links',
    unit: 'ids',
    help: 'Ids that join the request of another id now, or joined too many',
    labels: { partition: 'the partition of logs.events' },
  }),
  openSessions: gauge({
    name: 'logloom_correlator_open_groups',
    unit: 'sessions',
    help: 'Sessions that are open now',
    labels: { partition: 'the partition of logs.events' },
  }),
});

export function createMetrics({ registry }: Pick<Telemetry, 'registry'>) {
  return createAll(correlatorMetrics, registry);
}

export type CorrelatorMetrics = ReturnType<typeof createMetrics>;

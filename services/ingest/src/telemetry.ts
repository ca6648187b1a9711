import { noteReasons } from './event/parse-notes.ts';
import { observeBudget } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import {
  combinations,
  counter,
  createAll,
  declareMetrics,
  gauge,
  histogram,
  messagingSpan,
  type SpanSpec,
  type Telemetry,
} from '@logloom/telemetry';
import type { MemoryBudget } from './admission/memory-budget.ts';

/** The spans of ingest; receivers over HTTP make theirs by receiveSpan(). */
export const spans = {
  receiveSyslog: { name: 'receive syslog', kind: 'server' },
  receiveForward: { name: 'receive forward', kind: 'server' },
  receiveGelf: { name: 'receive gelf', kind: 'server' },
  processRaw: messagingSpan('process', topics.raw, 'ingest'),
  normalize: { name: 'normalize', kind: 'internal' },
  send: messagingSpan('send', topics.events),
} satisfies Record<string, SpanSpec>;

/** The span of a request to a route. */
export function receiveSpan(route: string): SpanSpec {
  return {
    name: `POST ${route}`,
    kind: 'server',
    attributes: { 'http.request.method': 'POST', 'http.route': route },
  };
}

/** The metrics of ingest. */
export const ingestMetrics = declareMetrics('services/ingest', {
  accepted: counter({
    name: 'logloom_ingest_events_total',
    unit: 'events',
    help: 'Events durable in logs.events',
    labels: { receiver: 'the receiver' },
  }),
  duplicates: counter({
    name: 'logloom_ingest_duplicate_events_total',
    unit: 'events',
    help: 'Numbered events that were durable already and were not stored again',
    labels: { receiver: 'the receiver' },
  }),
  loadtest: counter({
    name: 'logloom_ingest_loadtest_events_total',
    unit: 'events',
    help: "Events durable in logs.events that a sender marked as a load test's, which hides them from users",
    labels: { key: "the sender's key; empty where keys are not required" },
  }),
  rejected: counter({
    name: 'logloom_ingest_rejected_events_total',
    unit: 'events',
    help: 'Events refused and kept in logs.dead-letter',
    labels: { receiver: 'the receiver', code: 'the error code' },
  }),
  failedRequests: counter({
    name: 'logloom_ingest_failed_requests_total',
    unit: 'requests',
    help: 'Requests that failed as a whole',
    labels: { code: 'the error code' },
    known: combinations({
      code: ['internal-error', 'overloaded', 'disk-full', 'read-only', 'log-unavailable', 'auth-unavailable'],
    }),
  }),
  parseNotes: counter({
    name: 'logloom_ingest_parse_notes_total',
    unit: 'notes',
    help: 'Fields of accepted events that could not be read; each event lists them as `parseNotes` (docs/fields.md)',
    labels: { receiver: 'the receiver', reason: noteReasons.join(', ') },
  }),
  bytes: counter({
    name: 'logloom_ingest_body_bytes_total',
    unit: 'bytes',
    help: 'Bytes of request bodies, unpacked',
  }),
  appendRecords: histogram({
    name: 'logloom_ingest_append_records',
    unit: 'records',
    help: 'Records that share one append to logs.events',
    buckets: [1, 10, 100, 1000, 10_000],
  }),
  requestSeconds: histogram({
    name: 'logloom_ingest_request_duration_seconds',
    unit: 'seconds',
    help: 'From the first byte of a request to its response',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
  }),
});

/** Metrics of parts of ingest that may be switched off, and those that are read when they are asked for. */
export const partMetrics = declareMetrics('services/ingest', {
  pendingBytes: gauge({
    name: 'logloom_ingest_pending_bytes',
    unit: 'bytes',
    help: 'Bytes that requests in work and unfinished syslog messages hold',
  }),
  queuedRecords: gauge({
    name: 'logloom_ingest_queued_records',
    unit: 'records',
    help: 'Records that wait for the append before theirs',
  }),
  producers: gauge({
    name: 'logloom_ingest_producers',
    unit: 'producers',
    help: 'Producers that number their events and whose epoch is known; the least recent are forgotten first',
  }),
  redactions: counter({
    name: 'logloom_ingest_redactions_total',
    unit: 'secrets',
    help: 'Secrets taken out before events or dead letters were stored',
    labels: { rule: 'the name of the rule' },
  }),
  keyEvents: counter({
    name: 'logloom_ingest_key_events_total',
    unit: 'events',
    help: 'Events received with a key, taken or refused',
    labels: { key: 'the name of the key' },
  }),
  keyBytes: counter({
    name: 'logloom_ingest_key_bytes_total',
    unit: 'bytes',
    help: 'Bytes of bodies received with a key, unpacked',
    labels: { key: 'the name of the key' },
  }),
  keyRefused: counter({
    name: 'logloom_ingest_quota_refused_requests_total',
    unit: 'requests',
    help: 'Requests refused over the quota of a key',
    labels: { key: 'the name of the key' },
  }),
  quotaRefusals: counter({
    name: 'logloom_ingest_quota_refusals_total',
    unit: 'requests',
    help: 'Requests, bulk items, syslog batches and datagrams that were over the quota of a service or an address',
    labels: { by: 'service, address', receiver: 'the receiver' },
  }),
  httpConnections: gauge({
    name: 'logloom_ingest_http_connections',
    unit: 'connections',
    help: 'Open HTTP connections',
  }),
  httpMaxConnections: gauge({
    name: 'logloom_ingest_http_max_connections',
    unit: 'connections',
    help: 'HTTP connections over this are refused (`INGEST_MAX_CONNECTIONS`)',
  }),
  httpRefused: counter({
    name: 'logloom_ingest_http_refused_connections_total',
    unit: 'connections',
    help: 'HTTP connections refused because too many were open, in all or from one address',
  }),
  httpReplaced: counter({
    name: 'logloom_ingest_http_replaced_connections_total',
    unit: 'connections',
    help: 'Silent HTTP connections closed to make room for new ones because too many were open',
  }),
  syslogConnections: gauge({
    name: 'logloom_ingest_syslog_connections',
    unit: 'connections',
    help: 'Open syslog connections over TCP',
  }),
  syslogMaxConnections: gauge({
    name: 'logloom_ingest_syslog_max_connections',
    unit: 'connections',
    help: 'Syslog connections over this are refused (`SYSLOG_MAX_CONNECTIONS`)',
  }),
  syslogRefused: counter({
    name: 'logloom_ingest_syslog_refused_connections_total',
    unit: 'connections',
    help: 'Syslog connections refused because too many were open',
  }),
  syslogReplaced: counter({
    name: 'logloom_ingest_syslog_replaced_connections_total',
    unit: 'connections',
    help: 'Silent syslog connections closed to make room for new ones because too many were open',
  }),
  syslogDropped: counter({
    name: 'logloom_ingest_syslog_dropped_datagrams_total',
    unit: 'datagrams',
    help: 'Syslog datagrams lost because the log or this process did not keep up, or over a quota',
    labels: { where: 'queue: the log was slow; kernel: this process was; quota' },
  }),
  streamConnections: gauge({
    name: 'logloom_ingest_stream_connections',
    unit: 'connections',
    help: 'Open connections of receivers of streams other than syslog over TCP',
    labels: { receiver: 'the receiver' },
  }),
  streamRefused: counter({
    name: 'logloom_ingest_stream_refused_connections_total',
    unit: 'connections',
    help: 'Connections of such receivers refused or closed because too many were open, or memory was short',
    labels: { receiver: 'the receiver' },
  }),
  streamReplaced: counter({
    name: 'logloom_ingest_stream_replaced_connections_total',
    unit: 'connections',
    help: 'Silent connections of such receivers closed to make room for new ones',
    labels: { receiver: 'the receiver' },
  }),
  streamDropped: counter({
    name: 'logloom_ingest_stream_dropped_datagrams_total',
    unit: 'datagrams',
    help: 'Datagrams of such receivers lost because the log or this process did not keep up, over a quota, or without their other parts',
    labels: {
      receiver: 'the receiver',
      where:
        'queue: the log was slow; kernel: this process was; quota; parts: messages whose other parts did not come',
    },
  }),
  streamHeld: counter({
    name: 'logloom_ingest_stream_held_seconds_total',
    unit: 'seconds',
    help: 'How long connections of such receivers were not read because of a quota, summed up',
    labels: { receiver: 'the receiver' },
  }),
  syslogHeld: counter({
    name: 'logloom_ingest_syslog_held_seconds_total',
    unit: 'seconds',
    help: 'How long syslog connections were not read because of a quota, summed up',
  }),
});

export function createMetrics(
  { registry }: Pick<Telemetry, 'registry'>,
  memory: Pick<MemoryBudget, 'usedBytes' | 'maxBytes'>,
) {
  partMetrics.pendingBytes.observe(registry, (set) => set(memory.usedBytes));
  observeBudget(registry, 'ingest', memory.maxBytes, () => memory.usedBytes);
  return createAll(ingestMetrics, registry);
}

export type IngestMetrics = ReturnType<typeof createMetrics>;

/** Registers the metrics of the senders' keys. */
export function createKeyMetrics({ registry }: Telemetry) {
  return {
    events: partMetrics.keyEvents.create(registry),
    bytes: partMetrics.keyBytes.create(registry),
    /** Requests over the quota. */
    refused: partMetrics.keyRefused.create(registry),
  };
}

export type KeyMetrics = ReturnType<typeof createKeyMetrics>;

/** Registers the metrics of the HTTP connections; the functions are called when metrics are read. */
export function createConnectionMetrics(
  { registry }: Telemetry,
  stats: { max: number; connections: () => number; refused: () => number; replaced: () => number },
): void {
  partMetrics.httpMaxConnections.create(registry).set(stats.max);
  partMetrics.httpConnections.observe(registry, (set) => set(stats.connections()));
  partMetrics.httpRefused.observe(registry, (set) => set(stats.refused()));
  partMetrics.httpReplaced.observe(registry, (set) => set(stats.replaced()));
}

/** What a receiver of streams and datagrams counts; the functions are called when metrics are read. */
export interface StreamStats {
  connections: () => number;
  refusedConnections: number;
  /** Silent connections closed to make room for new ones. */
  replacedConnections: number;
  /** Datagrams dropped because the log did not keep up. */
  dropped: () => number;
  /** Datagrams that the kernel dropped; NaN where it does not tell. */
  kernelDropped: () => number;
  /** Datagrams dropped because their service or address was over its quota. */
  overQuota: number;
  /** Messages dropped because parts of them did not come. */
  incomplete: number;
  /** The time for which connections were not read because of a quota, in total. */
  heldMs: number;
}

/** Registers the metrics of the syslog receiver, which sets the functions once it is open. */
export function createSyslogStats({ registry }: Telemetry, maxConnections: number): StreamStats {
  partMetrics.syslogMaxConnections.create(registry).set(maxConnections);
  const stats = emptyStats();
  partMetrics.syslogConnections.observe(registry, (set) => set(stats.connections()));
  partMetrics.syslogRefused.observe(registry, (set) => set(stats.refusedConnections));
  partMetrics.syslogReplaced.observe(registry, (set) => set(stats.replacedConnections));
  partMetrics.syslogDropped.observe(registry, (set) => {
    set(stats.dropped(), { where: 'queue' });
    set(stats.overQuota, { where: 'quota' });
    const kernel = stats.kernelDropped();
    if (!Number.isNaN(kernel)) set(kernel, { where: 'kernel' });
  });
  partMetrics.syslogHeld.observe(registry, (set) => set(stats.heldMs / 1000));
  return stats;
}

/** Registers the metrics of the other receivers of streams; returns what makes the counts of each. */
export function createStreamMetrics({ registry }: Telemetry): (receiver: string) => StreamStats {
  const all = new Map<string, StreamStats>();
  const each = (set: (stats: StreamStats, receiver: string) => void): void =>
    all.forEach((stats, receiver) => set(stats, receiver));
  partMetrics.streamConnections.observe(registry, (set) =>
    each((stats, receiver) => set(stats.connections(), { receiver })),
  );
  partMetrics.streamRefused.observe(registry, (set) =>
    each((stats, receiver) => set(stats.refusedConnections, { receiver })),
  );
  partMetrics.streamReplaced.observe(registry, (set) =>
    each((stats, receiver) => set(stats.replacedConnections, { receiver })),
  );
  partMetrics.streamDropped.observe(registry, (set) =>
    each((stats, receiver) => {
      set(stats.dropped(), { receiver, where: 'queue' });
      set(stats.overQuota, { receiver, where: 'quota' });
      set(stats.incomplete, { receiver, where: 'parts' });
      const kernel = stats.kernelDropped();
      if (!Number.isNaN(kernel)) set(kernel, { receiver, where: 'kernel' });
    }),
  );
  partMetrics.streamHeld.observe(registry, (set) =>
    each((stats, receiver) => set(stats.heldMs / 1000, { receiver })),
  );
  return (receiver) => {
    const stats = emptyStats();
    all.set(receiver, stats);
    return stats;
  };
}

function emptyStats(): StreamStats {
  return {
    connections: () => 0,
    refusedConnections: 0,
    replacedConnections: 0,
    dropped: () => 0,
    kernelDropped: () => Number.NaN,
    overQuota: 0,
    incomplete: 0,
    heldMs: 0,
  };
}

import { topics } from '@logloom/schemas';
import { Counter, Gauge, Histogram, messagingSpan, type SpanSpec, type Telemetry } from '@logloom/telemetry';

/** The spans of ingest; receivers over HTTP make theirs by receiveSpan(). */
export const spans = {
  receiveSyslog: { name: 'receive syslog', kind: 'server' },
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

/** The metrics of ingest. The label `receiver` holds the receiver's name. */
export interface IngestMetrics {
  /** Events durable in logs.events, by receiver. */
  accepted: Counter<'receiver'>;
  /** Numbered events that were durable already, by receiver. */
  duplicates: Counter<'receiver'>;
  /** Refused events, by receiver and code. */
  rejected: Counter<'receiver' | 'code'>;
  /** Requests that failed as a whole, by code. */
  failedRequests: Counter<'code'>;
  /** Bytes of bodies, unpacked. */
  bytes: Counter;
  /** Records in one append to logs.events. */
  appendRecords: Histogram;
  /** From the first byte of a request to its response. */
  requestSeconds: Histogram;
}

/** The metrics of each key. */
export interface KeyMetrics {
  events: Counter<'key'>;
  bytes: Counter<'key'>;
  /** Requests over the quota. */
  refused: Counter<'key'>;
}

/** Registers the metrics of the senders' keys. */
export function createKeyMetrics({ registry }: Telemetry): KeyMetrics {
  const counter = (name: string, help: string): Counter<'key'> =>
    new Counter({ name, help, labelNames: ['key'], registers: [registry] });
  return {
    events: counter('logloom_ingest_key_events_total', 'Events received with a key, taken or refused'),
    bytes: counter('logloom_ingest_key_bytes_total', 'Bytes of bodies received with a key, unpacked'),
    refused: counter('logloom_ingest_quota_refused_requests_total', 'Requests refused over the quota'),
  };
}

/** Registers the counter of refusals over the quotas of services and addresses. */
export function createQuotaCounter({ registry }: Telemetry): Counter<'by' | 'receiver'> {
  return new Counter({
    name: 'logloom_ingest_quota_refusals_total',
    help: 'Requests, bulk items, syslog batches and datagrams that were over the quota of a service or an address',
    labelNames: ['by', 'receiver'],
    registers: [registry],
  });
}

/** Registers the metrics of the HTTP connections; the functions are called when metrics are read. */
export function createConnectionMetrics(
  { registry }: Telemetry,
  stats: { connections: () => number; refused: () => number; replaced: () => number },
): void {
  const registers = [registry];
  new Gauge({
    name: 'logloom_ingest_http_connections',
    help: 'Open HTTP connections',
    registers,
    collect() {
      this.set(stats.connections());
    },
  });
  new Counter({
    name: 'logloom_ingest_http_refused_connections_total',
    help: 'HTTP connections refused because too many were open, in all or from one address',
    registers,
    collect() {
      this.reset();
      this.inc(stats.refused());
    },
  });
  countReplaced(registry, 'http', stats.replaced);
}

function countReplaced(
  registry: Telemetry['registry'],
  receiver: 'http' | 'syslog',
  replaced: () => number,
): void {
  new Counter({
    name: `logloom_ingest_${receiver}_replaced_connections_total`,
    help: 'Silent connections closed to make room for new ones because too many were open',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(replaced());
    },
  });
}

/** Registers the counter of redacted secrets, by the name of the rule. */
export function createRedactionCounter({ registry }: Telemetry): Counter<'rule'> {
  return new Counter({
    name: 'logloom_ingest_redactions_total',
    help: 'Secrets taken out before events or dead letters were stored',
    labelNames: ['rule'],
    registers: [registry],
  });
}

/** What the syslog receiver counts; the functions are called when metrics are read. */
export interface SyslogStats {
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
  /** The time for which connections were not read because of a quota, in total. */
  heldMs: number;
}

/** Registers the metrics of the syslog receiver, which sets the functions once it is open. */
export function createSyslogStats({ registry }: Telemetry): SyslogStats {
  const registers = [registry];
  const stats: SyslogStats = {
    connections: () => 0,
    refusedConnections: 0,
    replacedConnections: 0,
    dropped: () => 0,
    kernelDropped: () => Number.NaN,
    overQuota: 0,
    heldMs: 0,
  };
  new Gauge({
    name: 'logloom_ingest_syslog_connections',
    help: 'Open syslog connections over TCP',
    registers,
    collect() {
      this.set(stats.connections());
    },
  });
  new Counter({
    name: 'logloom_ingest_syslog_refused_connections_total',
    help: 'Syslog connections refused because too many were open',
    registers,
    collect() {
      this.reset();
      this.inc(stats.refusedConnections);
    },
  });
  countReplaced(registry, 'syslog', () => stats.replacedConnections);
  new Counter({
    name: 'logloom_ingest_syslog_dropped_datagrams_total',
    help: 'Syslog datagrams lost because the log (queue) or this process (kernel) did not keep up, or over a quota',
    labelNames: ['where'],
    registers,
    collect() {
      this.reset();
      this.inc({ where: 'queue' }, stats.dropped());
      this.inc({ where: 'quota' }, stats.overQuota);
      const kernel = stats.kernelDropped();
      if (!Number.isNaN(kernel)) this.inc({ where: 'kernel' }, kernel);
    },
  });
  new Counter({
    name: 'logloom_ingest_syslog_held_seconds_total',
    help: 'How long syslog connections were not read because of a quota, summed up',
    registers,
    collect() {
      this.reset();
      this.inc(stats.heldMs / 1000);
    },
  });
  return stats;
}

/** Registers the metrics; `usedBytes` returns the bytes that are taken of the memory budget. */
export function createMetrics({ registry }: Telemetry, usedBytes: () => number): IngestMetrics {
  const registers = [registry];
  new Gauge({
    name: 'logloom_ingest_pending_bytes',
    help: 'Bytes that requests in work and unfinished syslog messages hold',
    registers,
    collect() {
      this.set(usedBytes());
    },
  });
  return {
    accepted: new Counter({
      name: 'logloom_ingest_events_total',
      help: 'Events durable in logs.events',
      labelNames: ['receiver'],
      registers,
    }),
    duplicates: new Counter({
      name: 'logloom_ingest_duplicate_events_total',
      help: 'Numbered events that were durable already and were not stored again',
      labelNames: ['receiver'],
      registers,
    }),
    rejected: new Counter({
      name: 'logloom_ingest_rejected_events_total',
      help: 'Events refused and kept in logs.dead-letter',
      labelNames: ['receiver', 'code'],
      registers,
    }),
    failedRequests: new Counter({
      name: 'logloom_ingest_failed_requests_total',
      help: 'Requests that failed as a whole',
      labelNames: ['code'],
      registers,
    }),
    bytes: new Counter({
      name: 'logloom_ingest_body_bytes_total',
      help: 'Bytes of request bodies, unpacked',
      registers,
    }),
    appendRecords: new Histogram({
      name: 'logloom_ingest_append_records',
      help: 'Records that share one append to logs.events',
      buckets: [1, 10, 100, 1000, 10_000],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'logloom_ingest_request_duration_seconds',
      help: 'From the first byte of a request to its response',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
      registers,
    }),
  };
}

/** Registers the number of producers whose epoch is known; the function is called when metrics are read. */
export function createProducersGauge({ registry }: Telemetry, producers: () => number): void {
  new Gauge({
    name: 'logloom_ingest_producers',
    help: 'Producers that number their events and whose epoch is known; the least recent are forgotten first',
    registers: [registry],
    collect() {
      this.set(producers());
    },
  });
}

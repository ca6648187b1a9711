import { elasticsearchAttributes, elasticsearchWords } from '@logloom/filter';
import {
  correlationDefaults,
  formatMicros,
  type Correlation,
  type Level,
  type PlacedEvent,
} from '@logloom/schemas';
import { createHash } from 'node:crypto';
import type { FoundEvent } from './search-store.ts';

/** As much of an event's document as it is read from. */
export interface EventSource {
  log: { level: Level };
  service: { name: string };
  host?: { name: string };
  message: string;
  trace?: { id: string };
  span?: { id: string };
  logloom: {
    id: string;
    timestamp: number;
    partition: number;
    offset: number;
    correlation_id?: string;
    correlation_kind?: string;
    raw_attributes: string;
  };
}

/** An event as a document of the indices that elasticsearch-templates.ts describes. */
export function eventSource(e: PlacedEvent): EventSource {
  const fields = e.attributes === '{}' ? undefined : elasticsearchAttributes(e.attributes);
  const logloom = {
    id: e.id,
    timestamp: e.timestamp,
    partition: e.partition,
    offset: e.offset,
    correlation_id: e.correlationId ?? undefined,
    correlation_kind: e.correlationKind ?? undefined,
    words: elasticsearchWords(e.message),
    attributes: fields?.attributes,
    numbers: fields?.numbers,
    raw_attributes: e.attributes,
  };
  const source = {
    '@timestamp': nanosDate(e.timestamp),
    log: { level: e.level },
    service: { name: e.service },
    host: e.host === null ? undefined : { name: e.host },
    message: e.message,
    trace: e.traceId === null ? undefined : { id: e.traceId },
    span: e.spanId === null ? undefined : { id: e.spanId },
    labels: fields?.labels,
    logloom,
  };
  // What is undefined is not written as JSON.
  return source as EventSource;
}

export function foundEvent({ log, service, host, message, trace, span, logloom }: EventSource): FoundEvent {
  return {
    id: logloom.id,
    timestamp: logloom.timestamp,
    level: log.level,
    service: service.name,
    host: host?.name ?? null,
    message,
    correlationId: logloom.correlation_id ?? null,
    correlationKind: logloom.correlation_kind ?? null,
    traceId: trace?.id ?? null,
    spanId: span?.id ?? null,
    attributes: logloom.raw_attributes,
    partition: logloom.partition,
    offset: logloom.offset,
  };
}

/** As much of a correlation's document as it is read from: its JSON. */
export interface CorrelationSource {
  document: string;
}

export function correlationSource(given: Correlation): CorrelationSource & Record<string, unknown> {
  const c = { ...correlationDefaults, ...given };
  return {
    '@timestamp': nanosDate(c.firstAt),
    id: c.id,
    correlation_id: c.correlationId,
    kind: c.kind,
    revision: c.revision,
    close_reason: c.closeReason,
    first_at: c.firstAt,
    last_at: c.lastAt,
    first_offset: c.firstOffset,
    duration_ms: (c.lastAt - c.firstAt) / 1000,
    event_count: c.memberDeltas.length,
    error_count: (c.levels['error'] ?? 0) + (c.levels['fatal'] ?? 0),
    levels: Object.keys(c.levels).filter((level) => c.levels[level]! > 0),
    severity: c.severity ?? undefined,
    partition: c.partition,
    services: c.services,
    rules: c.rules,
    ids: [c.correlationId, ...c.ids],
    labels: Object.entries(c.labels).map(([name, value]) => `${name}=${value}`),
    shape: c.shape === '' ? undefined : c.shape,
    document: JSON.stringify(given),
  };
}

export function foundCorrelation({ document }: CorrelationSource): Correlation {
  return JSON.parse(document) as Correlation;
}

/** Elasticsearch's date_nanos begins in 1970; earlier times are shown at its beginning. */
function nanosDate(micros: number): string {
  return formatMicros(Math.max(0, micros));
}

const maxIdBytes = 512;

/** The id under which a document is kept: the event's own, as far as Elasticsearch has room for it. */
export function documentId(id: string): string {
  if (id.length * 3 <= maxIdBytes || Buffer.byteLength(id) <= maxIdBytes) return id;
  return `sha256-${createHash('sha256').update(id).digest('hex')}`;
}

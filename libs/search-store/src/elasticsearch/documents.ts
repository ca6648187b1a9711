import { elasticsearchAttributes, elasticsearchWords } from '@logloom/filter';
import {
  correlationDefaults,
  formatMicros,
  type Correlation,
  type Level,
  type PlacedEvent,
} from '@logloom/schemas';
import { createHash } from 'node:crypto';
import type { FoundEvent } from '../search-store.ts';

/** The fields of an event's document that are read back. */
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

/**
 * An event as a document of the indices that templates.ts describes: an EventSource and the fields that only the index needs, as JSON. It
 * is built as text: serializing an object takes a quarter more time (bench/elasticsearch.ts).
 */
export function eventJson(e: PlacedEvent): string {
  let json = `{"@timestamp":"${nanosDate(e.timestamp)}","log":{"level":"${e.level}"},"service":{"name":${JSON.stringify(e.service)}}`;
  if (e.host !== null) json += `,"host":{"name":${JSON.stringify(e.host)}}`;
  json += `,"message":${JSON.stringify(e.message)}`;
  if (e.traceId !== null) json += `,"trace":{"id":${JSON.stringify(e.traceId)}}`;
  if (e.spanId !== null) json += `,"span":{"id":${JSON.stringify(e.spanId)}}`;
  const words = JSON.stringify(elasticsearchWords(e.message));
  let logloom = `{"id":${JSON.stringify(e.id)},"timestamp":${e.timestamp},"partition":${e.partition},"offset":${e.offset},"words":${words}`;
  if (e.correlationId !== null) logloom += `,"correlation_id":${JSON.stringify(e.correlationId)}`;
  if (e.correlationKind !== null) logloom += `,"correlation_kind":${JSON.stringify(e.correlationKind)}`;
  if (e.attributes !== '{}') {
    const { labels, attributes, numbers, doubles } = elasticsearchAttributes(e.attributes);
    json += `,"labels":${JSON.stringify(labels)}`;
    logloom += `,"attributes":${JSON.stringify(attributes)},"numbers":${JSON.stringify(numbers)}`;
    if (numbers.length > 0) logloom += `,"number":${JSON.stringify(doubles)}`;
  }
  return `${json},"logloom":${logloom},"raw_attributes":${JSON.stringify(e.attributes)}}}`;
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

/** The field of a correlation's document that is read back: its JSON. */
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

/** Elasticsearch's date_nanos begins in 1970; earlier times are shown as 1970. */
function nanosDate(micros: number): string {
  return formatMicros(Math.max(0, micros));
}

const maxIdBytes = 512;

/** The id under which a document is stored: the event's own, as far as Elasticsearch's limit allows. */
export function documentId(id: string): string {
  if (id.length * 3 <= maxIdBytes || Buffer.byteLength(id) <= maxIdBytes) return id;
  return `sha256-${createHash('sha256').update(id).digest('hex')}`;
}

import { mongoFields, type MongoFields } from '@logloom/filter';
import { levels, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { sourceOf } from '../archived-event.ts';

/** An event as a document. Null fields are absent, which filters rely on. */
export interface EventDocument extends MongoFields {
  /** The event's id. */
  _id: string;
  /** The shard key: the correlation id; the event's own id where it has none, so that such events spread over the shards. */
  key: string;
  timestamp: number;
  partition: number;
  offset: number;
  receivedAt: number;
  /** The rank. */
  level: number;
  service: string;
  host?: string;
  message: string;
  correlationId?: string;
  correlationKind?: string;
  traceId?: string;
  spanId?: string;
  /** The JSON text, unchanged. */
  attributes: string;
}

export type CorrelationDocument = Omit<Correlation, 'id'> & { _id: string };

/** How far the archive has a partition of a topic; or, with the id `removed`, the time before which retention has removed everything. */
export interface MarkDocument {
  _id: string;
  epoch?: string;
  topic?: string;
  partition?: number;
  offset?: number;
  micros?: number;
}

const ranks = new Map(levels.map((level, rank) => [level, rank]));

export function documentOf(e: PlacedEvent): EventDocument {
  return {
    _id: e.id,
    key: e.correlationId ?? e.id,
    timestamp: e.timestamp,
    partition: e.partition,
    offset: e.offset,
    receivedAt: e.receivedAt,
    level: ranks.get(e.level)!,
    service: e.service,
    ...(e.host !== null && { host: e.host }),
    message: e.message,
    ...(e.correlationId !== null && { correlationId: e.correlationId }),
    ...(e.correlationKind !== null && { correlationKind: e.correlationKind }),
    ...(e.traceId !== null && { traceId: e.traceId }),
    ...(e.spanId !== null && { spanId: e.spanId }),
    attributes: e.attributes,
    ...mongoFields(e),
  };
}

/** The fields that reading leaves out: only filters use them. */
export const eventProjection = { words: 0, values: 0, key: 0 } as const;

export function eventOf(d: Omit<EventDocument, keyof typeof eventProjection>): PlacedEvent {
  return {
    id: d._id,
    partition: d.partition,
    offset: d.offset,
    source: sourceOf(d.partition, d.offset),
    timestamp: d.timestamp,
    receivedAt: d.receivedAt,
    level: levels[d.level]!,
    service: d.service,
    host: d.host ?? null,
    message: d.message,
    correlationId: d.correlationId ?? null,
    correlationKind: d.correlationKind ?? null,
    traceId: d.traceId ?? null,
    spanId: d.spanId ?? null,
    attributes: d.attributes,
  };
}

/** Time order: by timestamp, then partition, then offset. */
export function compareEvents(a: PlacedEvent, b: PlacedEvent): number {
  return a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset;
}

export function correlationDocumentOf({ id, ...rest }: Correlation): CorrelationDocument {
  return { _id: id, ...rest };
}

export function correlationOf({ _id, ...rest }: CorrelationDocument): Correlation {
  return { id: _id, ...rest };
}

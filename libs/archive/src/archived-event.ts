import { levels, topics, type PlacedEvent, type Source } from '@logloom/schemas';

/** The columns of an archived event, in the order of EventRow. */
export const eventColumns =
  'ts, id, partition, "offset", received_at, level, service, host, message, correlation_id, correlation_kind, trace_id, span_id, attributes';

/** A row as an array, which costs less than an object. */
export type EventRow = [
  timestamp: number,
  id: string,
  partition: number,
  offset: number,
  receivedAt: number,
  level: number,
  service: string,
  host: string | null,
  message: string,
  correlationId: string | null,
  correlationKind: string | null,
  traceId: string | null,
  spanId: string | null,
  attributes: string,
];

const ranks = new Map(levels.map((level, rank) => [level, rank]));

export function rowOf(e: PlacedEvent): EventRow {
  return [
    e.timestamp,
    e.id,
    e.partition,
    e.offset,
    e.receivedAt,
    ranks.get(e.level)!,
    e.service,
    e.host,
    e.message,
    e.correlationId,
    e.correlationKind,
    e.traceId,
    e.spanId,
    e.attributes,
  ];
}

export function eventOf(row: EventRow): PlacedEvent {
  return {
    id: row[1],
    partition: row[2],
    offset: row[3],
    source: sourceOf(row[2], row[3]),
    timestamp: row[0],
    receivedAt: row[4],
    level: levels[row[5]]!,
    service: row[6],
    host: row[7],
    message: row[8],
    correlationId: row[9],
    correlationKind: row[10],
    traceId: row[11],
    spanId: row[12],
    attributes: row[13],
  };
}

/** Stands for the source, which the archive doesn't keep: the event's place in the log. */
export function sourceOf(partition: number, offset: number): Source {
  return { kind: 'archive', topic: topics.events, partition, offset, index: 0 };
}

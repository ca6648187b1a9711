import { levels } from '@logloom/schemas';
import type { FoundEvent } from '../search-store.ts';

/** The columns of a found event, in the order that eventOfRow() reads them. */
export const eventColumns =
  'rowid, id, ts, level, service, host, message, correlation_id, correlation_kind, trace_id, span_id, attributes, partition, "offset"';

/** A row as an array, which costs less than an object. */
export type EventRow = [
  rowid: number,
  id: string,
  timestamp: number,
  level: number,
  service: string,
  host: string | null,
  message: string,
  correlationId: string | null,
  correlationKind: string | null,
  traceId: string | null,
  spanId: string | null,
  attributes: string,
  partition: number,
  offset: number,
];

export function eventOfRow(row: EventRow): FoundEvent {
  return {
    id: row[1],
    timestamp: row[2],
    level: levels[row[3]]!,
    service: row[4],
    host: row[5],
    message: row[6],
    correlationId: row[7],
    correlationKind: row[8],
    traceId: row[9],
    spanId: row[10],
    attributes: row[11],
    partition: row[12],
    offset: row[13],
  };
}

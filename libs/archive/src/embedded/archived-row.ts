import type { Level, PlacedEvent } from '@logloom/schemas';
import { sourceOf } from '../archived-event.ts';

/** SQL: the columns of an archived event, in the order of ArchivedRow. */
export const archivedColumns =
  'epoch_us(timestamp), id, partition, "offset", epoch_ms(received_at), level, service, host, message, correlation_id, correlation_kind, trace_id, span_id, attributes';

/** SQL: the order of an archive. Events of two epochs can be at one place. */
export const placeOrder = 'timestamp, partition, "offset", id';

export type ArchivedRow = [
  timestamp: bigint,
  id: string,
  partition: number,
  offset: bigint,
  receivedAt: bigint,
  level: Level,
  service: string,
  host: string | null,
  message: string,
  correlationId: string | null,
  correlationKind: string | null,
  traceId: string | null,
  spanId: string | null,
  attributes: string,
];

export function eventOfRow(row: ArchivedRow): PlacedEvent {
  const offset = Number(row[3]);
  return {
    id: row[1],
    partition: row[2],
    offset,
    source: sourceOf(row[2], offset),
    timestamp: Number(row[0]),
    receivedAt: Number(row[4]),
    level: row[5],
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

import type { Level } from '@logloom/schemas';
import type { FoundEvent } from '../search-store.ts';
import { placeColumns, placeOfRow, type EventPlace } from './event-place.ts';
import { eventId } from '@logloom/column-store';

/** The columns of a found event, in the order that foundEventOf() reads them. */
export const foundColumns = `${placeColumns}, ${eventId}, level, service, host, message, correlation_id, correlation_kind, trace_id, span_id, attributes`;

/** A row of foundColumns, with its place. */
export function foundEventOf(row: readonly unknown[]): { place: EventPlace; event: FoundEvent } {
  const place = placeOfRow(row);
  const event = {
    id: row[4] as string,
    timestamp: place.micros,
    level: row[5] as Level,
    service: row[6] as string,
    host: row[7] as string | null,
    message: row[8] as string,
    correlationId: row[9] as string | null,
    correlationKind: row[10] as string | null,
    traceId: row[11] as string | null,
    spanId: row[12] as string | null,
    attributes: row[13] as string,
    partition: place.partition,
    offset: place.offset,
  };
  return { place, event };
}

import type { ReadView } from '@logloom/column-store';
import { sqlLiteral, sqlMicros } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import type { ByCorrelationOptions } from '../archive.ts';
import { eventBytes } from '../event-bytes.ts';
import { archivedColumns, eventOfRow, placeOrder, type ArchivedRow } from './archived-row.ts';

/** The events of a statement's rows, up to the one that exceeds this many bytes. */
export async function eventsOf(view: ReadView, sql: string, maxBytes: number): Promise<PlacedEvent[]> {
  const events: PlacedEvent[] = [];
  let bytes = 0;
  for await (const rows of view.stream(sql))
    for (const row of rows as ArchivedRow[]) {
      const event = eventOfRow(row);
      events.push(event);
      bytes += eventBytes(event);
      if (bytes >= maxBytes) return events;
    }
  return events;
}

export async function eventsOfCorrelation(
  view: ReadView,
  correlationId: string,
  { fromMicros, toMicros, limit, after, maxBytes = Infinity }: ByCorrelationOptions,
): Promise<PlacedEvent[]> {
  const conditions = [`correlation_id = ${sqlLiteral(correlationId)}`];
  if (fromMicros !== undefined) conditions.push(`timestamp >= ${sqlMicros(fromMicros)}`);
  if (toMicros !== undefined) conditions.push(`timestamp < ${sqlMicros(toMicros)}`);
  if (after !== undefined)
    conditions.push(
      `timestamp >= ${sqlMicros(after.timestamp)}`,
      `(timestamp > ${sqlMicros(after.timestamp)} OR partition > ${after.partition}
        OR (partition = ${after.partition} AND "offset" > ${after.offset}))`,
    );
  const range = { fromMicros: after === undefined ? fromMicros : after.timestamp, toMicros };
  const end = limit === undefined ? '' : ` LIMIT ${limit}`;
  return eventsOf(
    view,
    `SELECT ${archivedColumns} FROM ${view.events(range)} WHERE ${conditions.join(' AND ')} ORDER BY ${placeOrder}${end}`,
    maxBytes,
  );
}

import { joinedWords } from '@logloom/filter';
import { epochOfId, type PlacedEvent } from '@logloom/schemas';
import type { Column } from './engine.ts';
import type { eventColumns } from './schema.ts';

/** An event's place in logs.events, and its id where that does not follow from the place. */
export interface EventKey {
  /** Null: the id names no epoch. */
  epoch: string | null;
  otherId: string | null;
}

let knownEpoch: string | undefined;

export function keyOf({ id, partition, offset }: PlacedEvent): EventKey {
  if (knownEpoch !== undefined && id === `${knownEpoch}-${partition}-${offset}`)
    return { epoch: knownEpoch, otherId: null };
  const epoch = epochOfId(id) ?? null;
  if (epoch === null || id !== `${epoch}-${partition}-${offset}`) return { epoch, otherId: id };
  knownEpoch = epoch;
  return { epoch, otherId: null };
}

/** The events as columns, in the order of `eventColumns`. */
export function columnsOfEvents(
  events: readonly PlacedEvent[],
): Record<keyof typeof eventColumns, { values: Column; isNumber: boolean }> {
  const keys = events.map(keyOf);
  const text = (of: (event: PlacedEvent) => string | null) => ({ values: events.map(of), isNumber: false });
  const number = (of: (event: PlacedEvent) => number) => ({ values: events.map(of), isNumber: true });
  return {
    timestamp: number((event) => event.timestamp),
    level: text((event) => event.level),
    service: text((event) => event.service),
    host: text((event) => event.host),
    message: text((event) => event.message),
    words: text((event) => joinedWords(event.message)),
    correlation_id: text((event) => event.correlationId),
    correlation_kind: text((event) => event.correlationKind),
    trace_id: text((event) => event.traceId),
    span_id: text((event) => event.spanId),
    attributes: text((event) => event.attributes),
    received_at: number((event) => event.receivedAt * 1000),
    epoch: { values: keys.map(({ epoch }) => epoch), isNumber: false },
    partition: number((event) => event.partition),
    offset: number((event) => event.offset),
    other_id: { values: keys.map(({ otherId }) => otherId), isNumber: false },
  };
}

/** SQL: the columns of a table of Engine.withRows() in the types that files have. */
export function typedColumns(columns: Readonly<Record<string, string>>): string {
  return Object.entries(columns)
    .map(([name, type]) => {
      if (type === 'TIMESTAMP') return `make_timestamp("${name}"::BIGINT) AS "${name}"`;
      return type === 'VARCHAR' || type === 'DOUBLE' ? `"${name}"` : `"${name}"::${type} AS "${name}"`;
    })
    .join(', ');
}

import { levels } from '@logloom/schemas';
import type { DatabaseSync } from 'node:sqlite';
import { sortGroups, topGroups, type Aggregate, type AggregateQuery } from '../aggregate/aggregate-query.ts';
import { BucketGrid, type KnownRange } from '../aggregate/bucket-grid.ts';
import { EventGroups, type GroupedEvent } from '../aggregate/event-groups.ts';
import type { QueryDeadline } from './query-deadline.ts';
import { eventsWhere, type Where } from './where.ts';

type Row = [
  timestamp: number,
  level: number,
  service: string,
  host: string | null,
  correlationId: string | null,
  correlationKind: string | null,
  traceId: string | null,
  spanId: string | null,
  attributes: string,
];

const columns = 'ts, level, service, host, correlation_id, correlation_kind, trace_id, span_id, attributes';

/** Groups the matching events by reading each of them, for buckets twice. `range` is known if buckets are wanted and there are events. */
export function aggregateRows(
  db: DatabaseSync,
  query: AggregateQuery,
  range: KnownRange | undefined,
  deadline: QueryDeadline,
): Aggregate {
  const where = eventsWhere(query.filter, range ?? query);
  const all = new EventGroups(query);
  for (const event of eventsOf(db, where, deadline)) all.add(event);
  const sorted = sortGroups(all.groups());
  if (query.interval === undefined || range === undefined)
    return { ...topGroups(sorted, query.limit), exact: true };
  const grid = new BucketGrid(query, range);
  const cells = new Map<number, EventGroups>();
  for (const event of eventsOf(db, where, deadline)) {
    const index = Math.floor(event.timestamp / grid.widthMicros);
    let cell = cells.get(index);
    if (cell === undefined) cells.set(index, (cell = new EventGroups(query)));
    cell.add(event);
  }
  for (const [index, cell] of cells) for (const group of cell.groups()) grid.set(group.key, index, group);
  return grid.fill({ ...topGroups(sorted, grid.limit), exact: true });
}

function* eventsOf(db: DatabaseSync, where: Where, deadline: QueryDeadline): Generator<GroupedEvent> {
  const statement = db.prepare(`SELECT ${columns} FROM events WHERE ${where.sql}`);
  statement.setReturnArrays(true);
  for (const row of statement.iterate(...where.params)) {
    deadline.check();
    const [timestamp, level, service, host, correlationId, correlationKind, traceId, spanId, attributes] =
      row as unknown as Row;
    yield {
      ...{ timestamp, level: levels[level]!, service, host, correlationId, correlationKind },
      ...{ traceId, spanId, attributes },
    };
  }
}

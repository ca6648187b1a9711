import type { ReadView } from '@logloom/column-store';
import type { Level } from '@logloom/schemas';
import { sortGroups, topGroups, type Aggregate, type AggregateQuery } from '../aggregate/aggregate-query.ts';
import { BucketGrid, type KnownRange } from '../aggregate/bucket-grid.ts';
import { EventGroups, type GroupedEvent } from '../aggregate/event-groups.ts';

const columns =
  'epoch_us(timestamp), level, service, host, correlation_id, correlation_kind, trace_id, span_id, attributes';

/** Groups the events of a condition by reading each of them, for buckets twice. `range` is known if buckets are wanted and there are events. */
export async function aggregateEvents(
  view: ReadView,
  from: string,
  query: AggregateQuery,
  range: KnownRange | undefined,
): Promise<Aggregate> {
  const all = new EventGroups(query);
  for await (const event of eventsOf(view, from)) all.add(event);
  const sorted = sortGroups(all.groups());
  if (query.interval === undefined || range === undefined)
    return { ...topGroups(sorted, query.limit), exact: true };
  const grid = new BucketGrid(query, range);
  const cells = new Map<number, EventGroups>();
  for await (const event of eventsOf(view, from)) {
    const index = Math.floor(event.timestamp / grid.widthMicros);
    let cell = cells.get(index);
    if (cell === undefined) cells.set(index, (cell = new EventGroups(query)));
    cell.add(event);
  }
  for (const [index, cell] of cells) for (const group of cell.groups()) grid.set(group.key, index, group);
  return grid.fill({ ...topGroups(sorted, grid.limit), exact: true });
}

async function* eventsOf(view: ReadView, from: string): AsyncGenerator<GroupedEvent> {
  for await (const rows of view.stream(`SELECT ${columns} FROM ${from}`))
    for (const row of rows)
      yield {
        timestamp: Number(row[0]),
        level: row[1] as Level,
        service: row[2] as string,
        host: row[3] as string | null,
        correlationId: row[4] as string | null,
        correlationKind: row[5] as string | null,
        traceId: row[6] as string | null,
        spanId: row[7] as string | null,
        attributes: row[8] as string,
      };
}

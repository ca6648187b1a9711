import type { ReadView, Slice } from '@logloom/column-store';
import { sqlLiteral, sqlMicros } from '@logloom/filter';
import { bytesOf } from '../page-bytes.ts';
import type { FoundEvent, SearchPage, SearchQuery, TimeRange, Total } from '../search-store.ts';
import { relationOf } from './candidates.ts';
import { countEvents } from './count-events.ts';
import { decodeCursor, encodeCursor, placeColumns, placeOfRow, type EventPlace } from './event-place.ts';
import { fewEvents, orderBy } from './few-events.ts';
import { FilteredEvents } from './filtered-events.ts';
import { foundColumns, foundEventOf } from './found-event.ts';
import { rangeCondition } from './time-range.ts';
import { TimeWalk } from './time-walk.ts';

/** Blocks that are searched at first: a filter that matches often finds its page there. */
const firstParts = 4;
/** How many events are read at first: a page of large events ends early, and the others should not have been read. */
const firstStep = 128;

/** One page of the matching events, which reads as few rows behind the page's end as it can (time-walk.ts). */
export async function searchEvents(
  view: ReadView,
  query: SearchQuery,
  { pageBytes, countLimitMs }: { pageBytes: number; countLimitMs: number },
): Promise<SearchPage> {
  const { filter, limit, order, cursor, ...range } = query;
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const matching = new FilteredEvents(view, filter);
  const count = (): Promise<Total> => countEvents(matching, range, countLimitMs);
  if (limit === 0) return { total: after?.total ?? (await count()), events: [] };
  const few =
    after === undefined && limit <= firstStep ? await fewEvents(matching, query, pageBytes) : undefined;
  if (few !== undefined) return { total: { value: few.length, exact: true }, events: few };
  // One more shows whether there is a next page.
  const places = await findPlaces(matching, { range, after, order, limit: limit + 1 });
  const total = after?.total ?? totalOfPage(places.length, limit) ?? atLeast(places.length, await count());
  const events = await readEvents(view, places.slice(0, limit), pageBytes);
  if (events.length === places.length) return { total, events };
  return { total, events, next: encodeCursor({ ...places[events.length - 1]!, total }) };
}

/** The total where the first page has found all there are. */
export function totalOfPage(found: number, limit: number): Total | undefined {
  return found > limit ? undefined : { value: found, exact: true };
}

function atLeast(found: number, total: Total): Total {
  return total.exact ? total : { ...total, value: Math.max(found, total.value) };
}

interface PlacesQuery {
  range: TimeRange;
  after: EventPlace | undefined;
  order: 'asc' | 'desc';
  limit: number;
  /** SQL: what else has to hold. */
  also?: string;
}

/** The places of the first matching events behind `after`, in the order. */
export async function findPlaces(
  matching: FilteredEvents,
  { range, after, order, limit, also = 'TRUE' }: PlacesQuery,
): Promise<EventPlace[]> {
  const bounds = boundsAfter(range, after, order);
  const keyset = after === undefined ? '' : ` AND ${isBehind(after, order)}`;
  const { view } = matching;
  const where = `${matching.condition(bounds)} AND (${also})${keyset}`;
  const walk = new TimeWalk(matching, { range: bounds, order, firstParts });
  let found: EventPlace[] = [];
  for (let isFirst = true; ; isFirst = false) {
    const relation = relationOf(view, await walk.next(), isFirst);
    const rows = await view.rows(
      `SELECT ${placeColumns} FROM ${relation} WHERE ${where}
       ORDER BY ${orderBy(order)} LIMIT ${limit}`,
    );
    found = merge(found, rows.map(placeOfRow), order).slice(0, limit);
    if (!walk.hasBefore(found[limit - 1]?.micros)) return found;
  }
}

function merge(a: readonly EventPlace[], b: readonly EventPlace[], order: 'asc' | 'desc'): EventPlace[] {
  const sign = order === 'asc' ? 1 : -1;
  return [...a, ...b].sort((x, y) => sign * comparePlaces(x, y));
}

function comparePlaces(a: EventPlace, b: EventPlace): number {
  return (
    a.micros - b.micros ||
    a.partition - b.partition ||
    a.offset - b.offset ||
    Buffer.compare(Buffer.from(a.epoch), Buffer.from(b.epoch))
  );
}

function boundsAfter(range: TimeRange, after: EventPlace | undefined, order: 'asc' | 'desc'): TimeRange {
  if (after === undefined) return range;
  const { fromMicros, toMicros } = range;
  return order === 'asc'
    ? { fromMicros: Math.max(fromMicros ?? -Infinity, after.micros), toMicros }
    : { fromMicros, toMicros: Math.min(toMicros ?? Infinity, after.micros + 1) };
}

function isBehind({ micros, partition, offset, epoch }: EventPlace, order: 'asc' | 'desc'): string {
  return `(timestamp, partition, "offset", coalesce(epoch, '')) ${order === 'asc' ? '>' : '<'}
    (${sqlMicros(micros)}, ${partition}, ${offset}, ${sqlLiteral(epoch)})`;
}

/** Reads the events at these places until they fill a page. */
export async function readEvents(
  view: ReadView,
  places: readonly EventPlace[],
  pageBytes: number,
): Promise<FoundEvent[]> {
  const events: FoundEvent[] = [];
  let bytes = 0;
  for (let step = firstStep; events.length < places.length && bytes < pageBytes;) {
    const wanted = places.slice(events.length, events.length + step);
    const read = await eventsAt(view, wanted);
    for (const place of wanted) {
      const event = read.get(keyOf(place));
      if (event === undefined) throw new Error('an event is gone from the files of one reading');
      events.push(event);
      bytes += bytesOf(Object.values(event));
      if (bytes >= pageBytes) return events;
    }
    step = Math.max(1, Math.floor((pageBytes - bytes) / (bytes / events.length)));
  }
  return events;
}

async function eventsAt(view: ReadView, places: readonly EventPlace[]): Promise<Map<string, FoundEvent>> {
  const times = places.map(({ micros }) => micros);
  const bounds = { fromMicros: Math.min(...times), toMicros: Math.max(...times) + 1 };
  const distinct = [...new Set(times)];
  const isNear = (slice: Slice): boolean =>
    distinct.some((micros) => micros >= slice.fromMicros && micros <= slice.toMicros);
  const rows = await view.rows(
    `SELECT ${foundColumns} FROM ${view.events({ ...bounds, only: isNear })}
     WHERE ${rangeCondition(bounds)} AND timestamp IN (${distinct.map(sqlMicros).join(', ')})
       AND (partition, "offset") IN (${places.map((place) => `(${place.partition}, ${place.offset})`).join(', ')})`,
  );
  return new Map(rows.map(foundEventOf).map(({ place, event }) => [keyOf(place), event] as const));
}

function keyOf({ micros, partition, offset, epoch }: EventPlace): string {
  return `${micros}/${partition}/${offset}/${epoch}`;
}

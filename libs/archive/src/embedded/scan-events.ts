import type { ReadView } from '@logloom/column-store';
import { sqlLiteral, sqlMicros } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import type { ScanQuery } from '../archive.ts';
import { eventBytes, maxAnswerBytes } from '../event-bytes.ts';
import { archivedColumns, placeOrder } from './archived-row.ts';
import { eventsOf } from './read-events.ts';

const stepEvents = 4096;
const firstWindowMicros = 60_000_000;
const maxWindowMicros = 30 * 86_400_000_000;

/** Where a scan stands: behind this event, or where `id` is undefined before this time. */
interface Position {
  timestamp: number;
  partition: number;
  offset: number;
  id: string | undefined;
}

interface Step {
  events: PlacedEvent[];
  /** Undefined: there are no more. */
  next: Position | undefined;
  windowMicros: number;
}

/** As Archive.scan(); `read` gives the state of the archive at each step. */
export async function* scanEvents(
  { fromMicros, toMicros, matches }: ScanQuery,
  signal: AbortSignal,
  read: (work: (view: ReadView) => Promise<Step>) => Promise<Step>,
): AsyncGenerator<PlacedEvent> {
  let position: Position | undefined = { timestamp: fromMicros, partition: 0, offset: 0, id: undefined };
  let windowMicros = firstWindowMicros;
  while (position !== undefined && !signal.aborted) {
    const at: Position = position;
    const step: Step = await read((view) => readStep(view, at, toMicros, windowMicros));
    for (const event of step.events) {
      if (matches === undefined || matches(event)) yield event;
      if (signal.aborted) return;
    }
    position = step.next;
    windowMicros = step.windowMicros;
  }
}

/** The events of a window of time: sorting all that lie ahead for a few would read all of them each time. */
async function readStep(
  view: ReadView,
  position: Position,
  toMicros: number,
  windowMicros: number,
): Promise<Step> {
  const start = await firstFrom(view, position.timestamp);
  if (start >= toMicros) return { events: [], next: undefined, windowMicros };
  const end = Math.min(toMicros, start + windowMicros);
  const { timestamp, partition, offset, id } = position;
  const isBehind =
    id === undefined
      ? 'TRUE'
      : `(timestamp > ${sqlMicros(timestamp)} OR (partition, "offset", id) > (${partition}, ${offset}, ${sqlLiteral(id)}))`;
  const events = await eventsOf(
    view,
    `SELECT ${archivedColumns} FROM ${view.events({ fromMicros: start, toMicros: end })} WHERE timestamp >= ${sqlMicros(start)}
     AND timestamp < ${sqlMicros(end)} AND ${isBehind} ORDER BY ${placeOrder} LIMIT ${stepEvents}`,
    maxAnswerBytes,
  );
  const last = events.at(-1);
  const bytes = events.reduce((sum, event) => sum + eventBytes(event), 0);
  const isWhole = events.length < stepEvents && bytes < maxAnswerBytes;
  if (!isWhole && last !== undefined)
    return { events, next: last, windowMicros: Math.max(1, Math.floor(windowMicros / 2)) };
  return {
    events,
    next: { timestamp: end, partition: 0, offset: 0, id: undefined },
    windowMicros: events.length < stepEvents / 4 ? Math.min(maxWindowMicros, windowMicros * 4) : windowMicros,
  };
}

/** The time of the first event from `micros` on, or an earlier one from there on; Infinity: there is none. */
async function firstFrom(view: ReadView, micros: number): Promise<number> {
  const inSlices = view.slices
    .filter(({ toMicros }) => toMicros >= micros)
    .map(({ fromMicros }) => Math.max(fromMicros, micros));
  const [row] = await view.rows(
    `SELECT epoch_us(min(timestamp)) FROM ${view.events({ only: () => false })} WHERE timestamp >= ${sqlMicros(micros)}`,
  );
  const recent = row?.[0];
  return Math.min(...inSlices, typeof recent === 'bigint' ? Number(recent) : Infinity);
}

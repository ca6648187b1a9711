import type { PlacedEvent } from '@logloom/schemas';

/** Holds the events whose timestamp is far from the time of their receipt. */
export const otherEvents = 'events_other';

const monthsBack = 120;
const monthsAhead = 1;
/** Duplicates of an event differ in their timestamp when its producer gave none; a duplicate is not received a day later. */
const borderMicros = 24 * 3_600_000_000;

/**
 * The collection of an event: a calendar month, UTC. It follows from the event alone, so that a replay finds the first one. Stray
 * timestamps cannot create endless collections: events more than ten years before or a month after their receipt share one.
 */
export function sliceOf({ timestamp, receivedAt }: Pick<PlacedEvent, 'timestamp' | 'receivedAt'>): string {
  const month = monthOf(timestamp);
  const received = monthOf(receivedAt * 1000);
  return month < received - monthsBack || month > received + monthsAhead ? otherEvents : nameOf(month);
}

/** The other slice that may hold a duplicate of the event, when it lies near the border of its own. */
export function neighbourOf(event: Pick<PlacedEvent, 'timestamp' | 'receivedAt'>): string | undefined {
  const own = sliceOf(event);
  if (own === otherEvents) return undefined;
  return [-borderMicros, borderMicros]
    .map((shift) => nameOf(monthOf(event.timestamp + shift)))
    .find((name) => name !== own);
}

/** The months among the names whose time meets the range, in time order. */
export function slicesWithin(names: Iterable<string>, fromMicros: number, toMicros: number): string[] {
  return [...names]
    .filter((name) => {
      const bounds = boundsOf(name);
      return bounds !== undefined && bounds.from < toMicros && bounds.to > fromMicros;
    })
    .sort();
}

/** The first microsecond of a month's slice and the first one after it; undefined when the name is not that of a month. */
export function boundsOf(name: string): { from: number; to: number } | undefined {
  const [, year, month] = /^events_(\d{4})_(\d{2})$/.exec(name) ?? [];
  if (year === undefined) return undefined;
  const startOf = (monthIndex: number): number => Date.UTC(Number(year), monthIndex, 1) * 1000;
  return { from: startOf(Number(month) - 1), to: startOf(Number(month)) };
}

/** Months since the year 0. */
function monthOf(micros: number): number {
  const date = new Date(Math.floor(micros / 1000));
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function nameOf(month: number): string {
  const year = String(Math.floor(month / 12)).padStart(4, '0');
  return `events_${year}_${String((month % 12) + 1).padStart(2, '0')}`;
}

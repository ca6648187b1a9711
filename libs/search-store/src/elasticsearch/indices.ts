import type { PlacedEvent } from '@logloom/schemas';

const dayMs = 86_400_000;
/** An event older than this, or further ahead, when it was received has no index of its day. */
const longestDelayMs = 30 * dayMs;
const longestLeadMs = 2 * dayMs;
const firstDay = Date.UTC(2000, 0) / dayMs;
const lastDay = Date.UTC(2100, 0) / dayMs - 1;

/** The names of the indices: one for each UTC day, one for stray timestamps, one for the correlation documents. */
export interface IndexNames {
  /** An alias of all indices with events; their names begin with it. */
  events: string;
  correlations: string;
}

/** What the template of the events' indices is for. Not `<events>-*`: data streams of others are named so. */
export function eventIndexPatterns({ events }: IndexNames): string[] {
  return [`${events}-20*.*.*`, strayIndex({ events })];
}

/** The index of the events that are far from when they were received: they cannot make indices without end. */
export function strayIndex({ events }: Pick<IndexNames, 'events'>): string {
  return `${events}-other`;
}

/**
 * The index that an event belongs to. It follows from the event alone, never from the clock: `create` knows a duplicate by its id only
 * within one index.
 */
export function eventIndex(names: IndexNames, { timestamp, receivedAt }: PlacedEvent): string {
  const ms = Math.floor(timestamp / 1000);
  const day = Math.floor(ms / dayMs);
  const isStray = ms < receivedAt - longestDelayMs || ms > receivedAt + longestLeadMs;
  return isStray || day < firstDay || day > lastDay ? strayIndex(names) : dayIndex(names, day);
}

// Most events of a batch are of one day.
let cachedDay = Number.NaN;
let cachedAlias = '';
let cachedName = '';

function dayIndex({ events }: IndexNames, day: number): string {
  if (day !== cachedDay || events !== cachedAlias) {
    cachedDay = day;
    cachedAlias = events;
    cachedName = `${events}-${new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '.')}`;
  }
  return cachedName;
}

/** The indices of a rebuild (rebuild.ts) are named so until they serve, and after, under the names of those they replace. */
const rebuiltPrefix = 'logloom-rebuilt-';
const rebuiltName = /^logloom-rebuilt-([0-9a-f]{8})-(.+)$/s;
/** What every index of a rebuild is named like. */
export const anyRebuiltIndex = `${rebuiltPrefix}*`;

/** The index of a rebuild (8 hexadecimal digits) that will serve under the name. `*` stands for all of that rebuild. */
export function rebuiltIndex(rebuild: string, name: string): string {
  return `${rebuiltPrefix}${rebuild}-${name}`;
}

/** The name that an index serves under, or will: its own, unless a rebuild made it. */
export function servedName(index: string): string {
  return rebuiltName.exec(index)?.[2] ?? index;
}

/** Whether the store has an index that serves under this name. */
export function isNameOf(names: IndexNames, name: string): boolean {
  return name === names.correlations || name === strayIndex(names) || endOfIndex(names, name) !== undefined;
}

/** When the day of an index is over, in microseconds; undefined when it is none of a day. Takes the name that it serves under. */
export function endOfIndex({ events }: IndexNames, name: string): number | undefined {
  const day = /^(\d{4})\.(\d{2})\.(\d{2})$/.exec(name.slice(events.length + 1));
  if (day === null || !name.startsWith(`${events}-`)) return undefined;
  return (Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) + dayMs) * 1000;
}

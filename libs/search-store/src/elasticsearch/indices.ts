import type { PlacedEvent } from '@logloom/schemas';

const dayMs = 86_400_000;
/** An event that was older than this, or further ahead, when it was received does not go into an index of its day. */
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

/** The pattern of the template for events' indices. Not `<events>-*`: data streams of others match that. */
export function eventIndexPatterns({ events }: IndexNames): string[] {
  return [`${events}-20*.*.*`, strayIndex({ events })];
}

/** The index of events whose timestamp is far from their receipt, so that they cannot create endless indices. */
export function strayIndex({ events }: Pick<IndexNames, 'events'>): string {
  return `${events}-other`;
}

/**
 * The index that an event belongs to. It follows from the event alone, never from the clock: `create` detects a duplicate by its id only
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

/** The names of a rebuild's indices (rebuild.ts). They keep them when they serve under the names of those that they replace. */
const rebuiltPrefix = 'logloom-rebuilt-';
const rebuiltName = /^logloom-rebuilt-([0-9a-f]{8})-(.+)$/s;
/** The pattern that every index of a rebuild matches. */
export const anyRebuiltIndex = `${rebuiltPrefix}*`;

/** The index of a rebuild (8 hexadecimal digits) that will serve under the name. `*` stands for all indices of that rebuild. */
export function rebuiltIndex(rebuild: string, name: string): string {
  return `${rebuiltPrefix}${rebuild}-${name}`;
}

/** The name under which an index serves, or will serve: its own, unless a rebuild created it. */
export function servedName(index: string): string {
  return rebuiltName.exec(index)?.[2] ?? index;
}

/** Whether the store has an index that serves under this name. */
export function isNameOf(names: IndexNames, name: string): boolean {
  return name === names.correlations || name === strayIndex(names) || endOfIndex(names, name) !== undefined;
}

/** When the day of an index is over, in microseconds; undefined if it is not the index of a day. Takes the name under which it serves. */
export function endOfIndex({ events }: IndexNames, name: string): number | undefined {
  const day = /^(\d{4})\.(\d{2})\.(\d{2})$/.exec(name.slice(events.length + 1));
  if (day === null || !name.startsWith(`${events}-`)) return undefined;
  return (Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) + dayMs) * 1000;
}

import type { Level, LogEvent, Source } from './generated/types.ts';

/** The levels, lowest first; an event's rank is its level's index here. */
export const levels: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** A log event with its place in logs.events: what stores keep, filters test and viewers get. */
export interface PlacedEvent extends LogEvent {
  /** Derived from `source`; stores that are keyed by it are idempotent. */
  id: string;
  partition: number;
  offset: number;
}

/** The event's id: its source, written so that it can stand in a URL. Unique, and the same at every replay. */
export function eventId(source: Source): string {
  const base = `${source.kind}-${source.topic}-${source.partition}-${source.offset}`;
  return source.index === 0 ? base : `${base}.${source.index}`;
}

/** Puts a decoded event at its place. Adds to the object that it is given, so that no copy is made per event. */
export function placeEvent(event: LogEvent, partition: number, offset: number): PlacedEvent {
  const placed = event as PlacedEvent;
  placed.id = eventId(event.source);
  placed.partition = partition;
  placed.offset = offset;
  return placed;
}

/**
 * The event as JSON text, in the form that search and live messages give (docs: interface, "A log event").
 * Absent optional fields are left out. `attributes` is JSON already and goes in as it is.
 */
export function eventToJson(e: PlacedEvent): string {
  let json = `{"id":${JSON.stringify(e.id)},"timestamp":"${formatMicros(e.timestamp)}","level":"${e.level}","service":${JSON.stringify(e.service)}`;
  if (e.host !== null) json += `,"host":${JSON.stringify(e.host)}`;
  json += `,"message":${JSON.stringify(e.message)}`;
  if (e.correlationId !== null) json += `,"correlationId":${JSON.stringify(e.correlationId)}`;
  if (e.correlationKind !== null) json += `,"correlationKind":${JSON.stringify(e.correlationKind)}`;
  if (e.traceId !== null) json += `,"traceId":${JSON.stringify(e.traceId)}`;
  if (e.spanId !== null) json += `,"spanId":${JSON.stringify(e.spanId)}`;
  return `${json},"attributes":${e.attributes},"partition":${e.partition},"offset":${e.offset}}`;
}

// Events come in time order, near enough: one cached second saves most Date objects.
let cachedSecond = Number.NaN;
let cachedPrefix = '';

/** Microseconds since 1970 as RFC 3339 with six decimals, e.g. 2023-01-30T11:51:01.822717Z. */
export function formatMicros(micros: number): string {
  const second = Math.floor(micros / 1_000_000);
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return `${cachedPrefix}${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
}

const rfc3339 =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?)? ?(Z|z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?$/;

/**
 * Reads RFC 3339 and its common relatives (a space for the T, a comma for the point, no zone, no time, +0100) as microseconds
 * since 1970; digits past the sixth are cut. A time without a zone is UTC. Gives NaN for anything else.
 */
export function parseMicros(text: string): number {
  const m = rfc3339.exec(text);
  if (m === null) return Number.NaN;
  const [, date, clock = '00:00:00', fraction = '', zone = 'Z'] = m;
  const offset = /^[+-]/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}` : 'Z';
  const millis = Date.parse(`${date}T${clock.length === 5 ? `${clock}:00` : clock}${offset}`);
  return millis * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

import type { Level, LogEvent, Source } from './generated/types.ts';

/** The levels, lowest first; an event's rank is its level's index here. */
export const levels: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** A log event with its place in logs.events: what stores keep, filters test and viewers get. */
export interface PlacedEvent extends LogEvent {
  /** Its place (placeId): a sender cannot influence it, and stores that are keyed by it are idempotent. */
  id: string;
  partition: number;
  offset: number;
}

/**
 * The id for a place in logs.events: an event's own place, or that of a document's first event. `epoch` is the topic's (EventLog.epochOf),
 * so that no id repeats when the topic is recreated. It is safe in a URL.
 */
export function placeId(epoch: string, partition: number, offset: number): string {
  return `${epoch}-${partition}-${offset}`;
}

/** The epoch in an id of placeId(); undefined in an id of an earlier release. */
export function epochOfId(id: string): string | undefined {
  return /^([0-9A-Za-z]+)-\d+-\d+$/.exec(id)?.[1];
}

/** Whether an id may belong to a log: it has the same epoch, or none, as in earlier releases. `epoch` undefined: any. */
export function mayBeOfEpoch(id: string, epoch: string | undefined): boolean {
  return epoch === undefined || (epochOfId(id) ?? epoch) === epoch;
}

/** Adds the place to a decoded event. Changes its argument, so that no event is copied. */
export function placeEvent(event: LogEvent, epoch: string, partition: number, offset: number): PlacedEvent {
  const placed = event as PlacedEvent;
  placed.id = placeId(epoch, partition, offset);
  placed.partition = partition;
  placed.offset = offset;
  return placed;
}

/** A source as one text, different for different sources. It never leaves the pipeline. */
export function sourceText({ kind, topic, partition, offset, index }: Source): string {
  return `${kind}/${topic}/${partition}/${offset}/${index}`;
}

/**
 * The event as JSON text, in the form of search results and live messages (docs/api/schemas/log-event.schema.json). Absent optional fields
 * are left out. `attributes` is JSON already and is inserted unchanged.
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

// Events come almost in time order: one cached second saves most Date objects.
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
  /^\d{4}-\d{2}-\d{2}(?:[T ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d{1,9}))?)? ?(?:Z|z|UTC|([+-]\d{2}(?::?\d{2})?))?$/;
// avsc writes a long as a double shifted by one bit: below -2^52 it silently stores another number, above it refuses.
const minMicros = -(2 ** 52);
const maxMicros = 9_007_199_254_740_990;
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads RFC 3339 and its common relatives (a space for the T, a comma for the point, no zone, no time, +0100) as microseconds since 1970;
 * digits past the sixth are cut. A time without a zone is UTC. Returns NaN for anything else: a date that does not exist, and one whose
 * microseconds the contract's long cannot hold (before 1828, such as Go's zero time, or after 2255).
 */
export function parseMicros(text: string): number {
  const m = rfc3339.exec(text);
  if (m === null) return Number.NaN;
  const [, clock, seconds, fraction, zone] = m;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = clock === undefined ? 0 : twoDigits(text, 11);
  const minute = clock === undefined ? 0 : twoDigits(text, 14);
  const second = seconds === undefined ? 0 : twoDigits(text, 17);
  // Date is not used: it reads the 30th of February as the 2nd of March.
  if (month < 1 || month > 12 || day < 1 || day > lastDay(year, month)) return Number.NaN;
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
  const shift = zone === undefined ? 0 : zoneMinutes(zone);
  const millis = Date.UTC(year, month - 1, day, hour, minute - shift, second);
  const micros = millis * 1000 + (fraction === undefined ? 0 : Number(fraction.padEnd(6, '0').slice(0, 6)));
  // Date.UTC reads the years 0 to 99 as 1900 to 1999.
  return year > 99 && micros >= minMicros && micros <= maxMicros ? micros : Number.NaN;
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - 0x30) * 10 + text.charCodeAt(at + 1) - 0x30;
}

function lastDay(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : daysInMonth[month - 1]!;
}

/** Minutes east of UTC, or NaN. */
function zoneMinutes(zone: string): number {
  const hours = twoDigits(zone, 1);
  const minutes = zone.length === 3 ? 0 : twoDigits(zone, zone.length - 2);
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

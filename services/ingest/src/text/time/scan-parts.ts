import { processZone, timeZone, zoneAbbreviation, type TimeZone } from './time-zone.ts';

/** What a text without a year, a day or a zone is read with. */
export interface TimeContext {
  /** Milliseconds since 1970. */
  receivedAtMs: number;
  /** Of times without a zone. */
  zone: TimeZone;
  /** Whether 03/04/2025 is the third of April; false: the fourth of March; undefined: not known. */
  isDayFirst?: boolean | undefined;
}

/** A context in the zone of this process. */
export function localContext(receivedAtMs: number): TimeContext {
  return { receivedAtMs, zone: processZone };
}

const none = -1;
const dayMicros = 86_400_000_000;

/** The parts of the time that is being read. There is one: reading is synchronous, and none is allocated per line. */
export const parts = {
  year: none,
  month: none,
  day: none,
  dayOfYear: none,
  hour: 0,
  minute: 0,
  second: 0,
  fractionMicros: 0,
  /** 1 before noon, 2 after. */
  half: 0,
  /** Of the instant itself; NaN where the text has a calendar's parts. */
  epochMicros: Number.NaN,
  offsetMinutes: Number.NaN,
  zone: undefined as TimeZone | undefined,
};

export function clearParts(): void {
  parts.year = parts.month = parts.day = parts.dayOfYear = none;
  parts.hour = parts.minute = parts.second = parts.fractionMicros = parts.half = 0;
  parts.epochMicros = parts.offsetMinutes = Number.NaN;
  parts.zone = undefined;
}

const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Microseconds since 1970 of the parts; NaN for what is no time, such as the 30th of February. */
export function microsOfParts(context: TimeContext): number {
  if (!Number.isNaN(parts.epochMicros)) return parts.epochMicros;
  if (parts.half > 0) {
    if (parts.hour < 1 || parts.hour > 12) return Number.NaN;
    parts.hour = (parts.hour % 12) + (parts.half === 2 ? 12 : 0);
  }
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 60) return Number.NaN;
  if (parts.dayOfYear !== none) return fromDayOfYear(context);
  if (parts.month === none) return today(context);
  if (parts.month < 1 || parts.month > 12) return Number.NaN;
  if (parts.day < 1 || parts.day > monthDays[parts.month - 1]!) return Number.NaN;
  return parts.year === none ? inLikelyYear(context) : inYear(parts.year, context);
}

function inYear(year: number, context: TimeContext): number {
  if (parts.month === 2 && parts.day === 29 && (year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0)))
    return Number.NaN;
  return toInstant(dayStart(year, parts.month, parts.day) + clockMicros(), context);
}

/** The latest year that puts the time no more than a day ahead of its receipt. A leap day may be years ago. */
function inLikelyYear(context: TimeContext): number {
  const latest = context.receivedAtMs * 1000 + dayMicros;
  const year = new Date(context.receivedAtMs).getUTCFullYear();
  for (let candidate = year + 1; candidate > year - 8; candidate--) {
    const micros = inYear(candidate, context);
    if (micros <= latest) return micros;
  }
  return Number.NaN;
}

function fromDayOfYear(context: TimeContext): number {
  if (parts.year === none || parts.dayOfYear < 1 || parts.dayOfYear > 366) return Number.NaN;
  return toInstant(dayStart(parts.year, 1, 1) + (parts.dayOfYear - 1) * dayMicros + clockMicros(), context);
}

/** A clock without a date is of the last day on which it was not more than an hour ahead of the receipt. */
function today(context: TimeContext): number {
  const receivedMicros = context.receivedAtMs * 1000;
  const day = Math.floor(receivedMicros / dayMicros) + 1;
  for (let back = 0; back < 3; back++) {
    const micros = toInstant((day - back) * dayMicros + clockMicros(), context);
    if (micros <= receivedMicros + 3_600_000_000) return micros;
  }
  return Number.NaN;
}

function clockMicros(): number {
  return ((parts.hour * 60 + parts.minute) * 60 + parts.second) * 1_000_000 + parts.fractionMicros;
}

function toInstant(wallMicros: number, context: TimeContext): number {
  if (parts.zone !== undefined) return parts.zone.toUtcMicros(wallMicros);
  if (!Number.isNaN(parts.offsetMinutes)) return wallMicros - parts.offsetMinutes * 60_000_000;
  return context.zone.toUtcMicros(wallMicros);
}

// Lines come roughly in the order of time: most have the day of the one before.
let cachedDay = Number.NaN;
let cachedStart = 0;

function dayStart(year: number, month: number, day: number): number {
  const key = (year * 16 + month) * 32 + day;
  if (key !== cachedDay) {
    cachedDay = key;
    cachedStart = Date.UTC(year, month - 1, day) * 1000;
  }
  return cachedStart;
}

/** Reads `least` to `most` digits; -1 where there are fewer. `scannedEnd` is the place behind them. */
export function scanDigits(text: string, at: number, end: number, least: number, most: number): number {
  let value = 0;
  let i = at;
  const limit = Math.min(end, at + most);
  for (; i < limit; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
  }
  if (i - at < least) return none;
  scannedEnd = i;
  return value;
}

export let scannedEnd = 0;

const powers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

/** Reads the digits of a fraction of a second, of which the first six count. Returns the place behind them; -1 for none. */
export function scanFraction(text: string, at: number, end: number): number {
  let micros = 0;
  let i = at;
  for (; i < end && i - at < 12; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    if (i - at < 6) micros = micros * 10 + digit;
  }
  if (i === at) return none;
  parts.fractionMicros = micros * powers[Math.max(0, 6 - (i - at))]!;
  return i;
}

const zoneWord = /[A-Za-z][A-Za-z_]{1,31}(?:\/[A-Za-z_+\-0-9]{1,32}){0,2}/y;

/** Reads Z, UTC, +02:00, +0200, CEST or Europe/Berlin. `isApart`: behind a blank, where +02 alone may be something else. */
export function scanZone(text: string, at: number, end: number, isApart: boolean): number {
  const code = text.charCodeAt(at);
  if (code === 0x2b || code === 0x2d) return scanOffset(text, at, end, isApart);
  if (code === 0x5a && isBoundary(text, at + 1, end)) {
    parts.offsetMinutes = 0;
    return at + 1;
  }
  if (!isLetter(code)) return none;
  zoneWord.lastIndex = at;
  const word = zoneWord.exec(text)?.[0];
  if (word === undefined || at + word.length > end || !isBoundary(text, at + word.length, end)) return none;
  const minutes = zoneAbbreviation(word);
  if (minutes !== undefined) parts.offsetMinutes = minutes;
  else {
    const zone = word.includes('/') ? timeZone(word) : undefined;
    if (zone === undefined) return none;
    parts.zone = zone;
  }
  return at + word.length;
}

function scanOffset(text: string, at: number, end: number, isApart: boolean): number {
  const hours = scanDigits(text, at + 1, end, 2, 2);
  if (hours < 0) return none;
  const colon = text.charCodeAt(scannedEnd) === 0x3a ? 1 : 0;
  const afterHours = scannedEnd;
  let minutes = scanDigits(text, afterHours + colon, end, 2, 2);
  if (minutes < 0) {
    if (isApart || colon === 1) return none;
    minutes = 0;
    scannedEnd = afterHours;
  }
  if (hours > 18 || minutes > 59 || !isBoundary(text, scannedEnd, end)) return none;
  parts.offsetMinutes = (text.charCodeAt(at) === 0x2d ? -1 : 1) * (hours * 60 + minutes);
  return scannedEnd;
}

export function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

/** Whether no letter and no digit stands there. */
export function isBoundary(text: string, at: number, end: number): boolean {
  if (at >= end) return true;
  const code = text.charCodeAt(at) | 0x20;
  return !((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7a));
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const longMonths = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** Reads an English month, short or whole; the parts get its number. */
export function scanMonth(text: string, at: number, end: number): number {
  if (at + 3 > end) return none;
  const month = monthNames.indexOf(text.slice(at, at + 3).toLowerCase());
  if (month < 0) return none;
  parts.month = month + 1;
  const long = longMonths[month]!.length;
  if (long > 3 && text.slice(at, at + long).toLowerCase() === longMonths[month]) return at + long;
  return text.charCodeAt(at + 3) === 0x2e ? at + 4 : at + 3;
}

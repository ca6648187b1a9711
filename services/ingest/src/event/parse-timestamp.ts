import { parseMicros } from '@logloom/schemas';
import { microsOfText } from '../text/time/any-time.ts';
import type { TimeContext } from '../text/time/scan-parts.ts';
import { timeZone, type TimeZone } from '../text/time/time-zone.ts';

/** Of JSON's times without a zone, unless a setting says otherwise. */
export const utc: TimeZone = timeZone('UTC')!;
const maxAheadMs = 86_400_000;

// Events arrive roughly in time order: a minute is parsed once for all events in it.
let cachedMinute = '';
let cachedMicros = 0;

const digits = /^-?\d+(?:[.,]\d+)?$/;
const exponent = /^\d(?:\.\d+)?[eE]\+?\d{1,2}$/;
const compact = /^(?:19|20)\d{12}(?:\d{3})?$/;
/** RFC 3339 allows small letters. */
const lowerCase = /^\d{4}-\d{2}-\d{2}t[\d:.]+(?:z|[+-]\d{2}:\d{2})$/;
/** Behind an offset a Z says nothing more. */
const doubleZone = /(?<=[+-]\d{2}:?\d{2})Z$/;
/** GMT+1, UTC+01:00. */
const namedOffset = / ?(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d{2}))?$/;
/** As `date -d` takes it, and numbers with a zone. */
const wrappedEpoch = /^(?:@(\d{9,13}(?:\.\d+)?)|(\d{9,13}\.\d+)Z)$/;
const jsonDate = /^\/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\/$/;

/**
 * Returns a time in whole microseconds since 1970, possibly beyond Avro's range; NaN for what is not a time. Reads the forms that loggers
 * write: RFC 3339 and its relatives, RFC 2822, those of C, Apache and databases, a number or its digits, and objects and lists of parts. The
 * magnitude of a number tells its unit; one that would be more than a day ahead may be a calendar's digits.
 */
export function parseTimestamp(
  value: unknown,
  context: TimeContext = { receivedAtMs: Date.now(), zone: utc },
): number {
  if (typeof value === 'number') return microsOfNumber(value, context);
  if (typeof value === 'object' && value !== null) return microsOfObject(value, context, 0);
  if (typeof value !== 'string') return Number.NaN;
  const quick = microsInCachedMinute(value);
  return quick >= 0 ? quick : microsOfString(value.trim(), context);
}

function microsOfNumber(number: number, context: TimeContext): number {
  const micros = microsByMagnitude(number);
  return isAhead(micros, context) ? orCalendar(micros, String(number), context) : micros;
}

function isAhead(micros: number, { receivedAtMs }: TimeContext): boolean {
  return micros > (receivedAtMs + maxAheadMs) * 1000;
}

function orCalendar(micros: number, digits: string, context: TimeContext): number {
  const calendar = compact.test(digits) ? microsOfText(digits, context) : Number.NaN;
  return Number.isNaN(calendar) ? micros : calendar;
}

/** .NET counts 100 nanoseconds since the year 1, Windows since 1601; as nanoseconds since 1970 both would be decades ago. */
const ticks = [
  { from: 6.2e17, to: 6.7e17, at1970: 621_355_968_000_000_000n },
  { from: 1.2e17, to: 1.5e17, at1970: 116_444_736_000_000_000n },
];

function microsByMagnitude(number: number): number {
  const size = Math.abs(number);
  if (size < 1e11) return Math.round(number * 1e6);
  if (size < 1e14) return Math.round(number * 1e3);
  if (size < 1e17) return Math.round(number);
  return size < 1e21 ? microsOfLong(BigInt(number)) : Math.round(number / 1e3);
}

/** More digits than a number can hold exactly. */
function microsOfLong(number: bigint): number {
  const unit = ticks.find(({ from, to }) => number >= from && number < to);
  return Number(unit === undefined ? number / 1000n : (number - unit.at1970) / 10n);
}

function microsOfDigits(text: string, context: TimeContext): number {
  const plain = text.replace(',', '.');
  const whole = plain.split('.', 1)[0]!;
  const number = Number(plain);
  if (number >= 1e17 && whole.length <= 21) return microsOfLong(BigInt(whole));
  const micros = microsByMagnitude(number);
  return isAhead(micros, context) ? orCalendar(micros, whole, context) : micros;
}

/** 1973, in microseconds. What is earlier is a duration, a counter, or a time that was not set, such as Go's zero time. */
export const minMicros = 1e14;

/** Returns the microseconds of nanoseconds since 1970, or of another unit that a sender has taken for them. */
export function microsOfNanos(nanos: bigint): number {
  const micros = Number(nanos / 1000n);
  return micros >= minMicros ? micros : microsByMagnitude(Number(nanos));
}

type Parts = Readonly<Record<string, unknown>>;

const secondsNames = ['seconds', 't', 'epochSecond', '_seconds', 'sec', 'secs', 'tv_sec', 'epochSeconds'];
const nanosNames = [
  'nanos',
  'nanoOfSecond',
  '_nanoseconds',
  'nanoseconds',
  'nsec',
  'nano',
  'nsecs',
  'tv_nsec',
  'nanosecondsOfSecond',
];
/** Objects that hold a time under one name: MongoDB's extended JSON, Avro's unions, loguru, PHP's DateTime. */
const innerNames = [
  '$date',
  '$timestamp',
  '$numberLong',
  'long',
  'string',
  'timestamp',
  'repr',
  'date',
  'iso',
  'value',
  'epochMilli',
];

function microsOfObject(value: object, context: TimeContext, depth: number): number {
  if (Array.isArray(value)) return microsOfList(value, context);
  const parts = value as Parts;
  const first = (names: readonly string[]): unknown => parts[names.find((name) => name in parts) ?? ''];
  const seconds = Number(first(secondsNames));
  if (!Number.isNaN(seconds)) return seconds * 1e6 + Math.floor(Number(first(nanosNames) ?? 0) / 1000);
  const inner = first(innerNames);
  if (typeof inner !== 'object' || inner === null) return parseTimestamp(inner, context);
  // MongoDB has the deepest: {"$date":{"$numberLong":"…"}}.
  return depth < 2 ? microsOfObject(inner, context, depth + 1) : Number.NaN;
}

/** [2025,3,14,9,26,53,589793238], as Jackson writes Java's LocalDateTime, or [seconds, nanoseconds], as Node's hrtime has them. */
function microsOfList(list: readonly unknown[], { zone }: TimeContext): number {
  if (list.length < 2 || list.length > 7 || !list.every((part) => Number.isInteger(part))) return Number.NaN;
  const [year, month, day, hour = 0, minute = 0, second = 0, nanos = 0] = list as number[];
  if (list.length === 2) return year! * 1e6 + Math.floor(month! / 1000);
  const two = (part: number | undefined): string => String(part).padStart(2, '0');
  const wall = parseMicros(`${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`);
  const micros = wall + Math.floor(nanos / 1000);
  return zone.toUtcMicros(micros);
}

function microsOfString(text: string, context: TimeContext): number {
  if (digits.test(text)) return microsOfDigits(text, context);
  if (exponent.test(text)) return microsOfNumber(Number(text), context);
  const date = jsonDate.exec(text);
  if (date !== null) return Number(date[1]) * 1000;
  const micros = context.zone === utc ? parseMicros(text) : Number.NaN;
  if (!Number.isNaN(micros)) return micros;
  const wrapped = wrappedEpoch.exec(text);
  const epoch = wrapped?.[1] ?? wrapped?.[2];
  if (epoch !== undefined) return microsOfDigits(epoch, context);
  const quoted = text.length > 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  const upper = lowerCase.test(quoted) ? quoted.toUpperCase() : quoted;
  const plain = upper
    .replace(doubleZone, '')
    .replace(
      namedOffset,
      (_, sign: string, hours: string, minutes = '00') => `${sign}${hours.padStart(2, '0')}:${minutes}`,
    );
  return microsOfText(plain, context);
}

/** Returns the time of 2023-01-30T11:51:01[.fraction]Z, with the minute from the cache; -1 for any other form. */
function microsInCachedMinute(text: string): number {
  const length = text.length;
  if (length < 20 || text.charCodeAt(length - 1) !== 0x5a || text.charCodeAt(16) !== 0x3a) return -1;
  const minute = text.slice(0, 16);
  if (minute !== cachedMinute) {
    const micros = parseMicros(`${minute}:00Z`);
    if (!(micros >= 0)) return -1;
    cachedMinute = minute;
    cachedMicros = micros;
  }
  const tens = text.charCodeAt(17) - 0x30;
  const ones = text.charCodeAt(18) - 0x30;
  if (!(tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9)) return -1;
  const seconds = cachedMicros + (tens * 10 + ones) * 1_000_000;
  if (length === 20) return seconds;
  if (text.charCodeAt(19) !== 0x2e || length === 21 || length > 30) return -1;
  let fraction = 0;
  let unit = 1_000_000;
  for (let i = 20; i < length - 1; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    if (unit > 1) fraction += digit * (unit /= 10);
  }
  return seconds + fraction;
}

import { parseMicros } from '@logloom/schemas';

// Events arrive roughly in time order: a minute is parsed once for all events in it.
let cachedMinute = '';
let cachedMicros = 0;

const digits = /^-?\d+(?:\.\d+)?$/;
const compactDate = /^(?:19|20)\d{6}$/;
const rfc3339Start = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const rfc2822 =
  /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(?::\d{2})? (?:GMT|UTC|[+-]\d{4})$/;

/**
 * Returns a time in whole microseconds since 1970, possibly beyond Avro's range; NaN for what is not a time. Accepts RFC 3339 and its
 * relatives (parseMicros), RFC 2822, and a number or its digits as a string. The magnitude of a number tells its unit: below 1e11 seconds,
 * below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds.
 */
export function parseTimestamp(value: unknown): number {
  if (typeof value === 'number') return microsOfNumber(value);
  if (typeof value !== 'string') return Number.NaN;
  const quick = microsInCachedMinute(value);
  if (quick >= 0) return quick;
  const text = value.trim();
  const micros = parseMicros(text);
  if (!Number.isNaN(micros)) return micros;
  if (digits.test(text)) return compactDate.test(text) ? Number.NaN : microsOfDigits(text);
  // A real time that does not fit, such as Go's zero time, is reported as out of range, not as an unknown form.
  return rfc2822.test(text) || rfc3339Start.test(text) ? Date.parse(text) * 1000 : Number.NaN;
}

function microsOfNumber(number: number): number {
  const size = Math.abs(number);
  if (size < 1e11) return Math.round(number * 1e6);
  if (size < 1e14) return Math.round(number * 1e3);
  if (size < 1e17) return Math.round(number);
  return Math.round(number / 1e3);
}

/** Nanoseconds have more digits than a number can hold, so the last three are cut off first. */
function microsOfDigits(text: string): number {
  const whole = text.split('.', 1)[0]!;
  return Number(whole) >= 1e17 ? Number(whole.slice(0, -3)) : microsOfNumber(Number(text));
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

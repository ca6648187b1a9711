import { isLetter, type TimeContext } from './scan-parts.ts';
import { compileTimeFormat, readMicros, type TimeFormat } from './time-format.ts';

const compile = (...sources: string[]): TimeFormat[] => sources.map((source) => compileTimeFormat(source));

const iso = compile('iso8601');
const digitFirst = compile(
  '%d-%b-%y %I.%M.%S.%f %p %z?',
  '%d-%b-%y %I.%M.%S %p %z?',
  '%d-%b-%y %H.%M.%S %z?',
  '%d/%b/%Y:%H:%M:%S %z?',
  '%d/%b/%Y %H:%M:%S %z?',
  '%d-%b-%Y %H:%M:%S %z?',
  '%d-%b-%Y::%H:%M:%S %z?',
  '%e %b %Y, %H:%M:%S %z?',
  '%e %b %Y %H:%M:%S %z?',
  '%Y-%m-%d-%H.%M.%S.%f',
  '%Y%m%d %H:%M:%S %z?',
  '%Y%m%dT%H:%M:%S%z?',
  '%Y%m%dT%H%M%S%z?',
  '%Y%m%d-%H:%M:%S:%L',
  '%Y%m%d-%H:%M:%S',
  '%Y %b %e %H:%M:%S %z?',
  '%m-%d %H:%M:%S',
);
const monthFirst = compile(
  '%m/%d/%Y, %I:%M:%S %p',
  '%m/%d/%Y %I:%M:%S %p',
  '%m/%d/%Y %k:%M:%S %z?',
  '%m/%d/%Y-%k:%M:%S %z?',
  '%m/%d/%Y, %k:%M:%S',
  '%m/%d/%y %k:%M:%S',
);
const dayFirst = compile(
  '%d/%m/%Y, %I:%M:%S %p',
  '%d/%m/%Y %I:%M:%S %p',
  '%d/%m/%Y %k:%M:%S %z?',
  '%d/%m/%Y, %k:%M:%S',
  '%d/%m/%y %k:%M:%S',
);
const dotted = compile('%d.%m.%Y %k:%M:%S %z?', '%d.%m.%Y, %k:%M:%S %z?', '%d-%m-%Y %k:%M:%S %z?');
const clock = compile('%H:%M:%S %p?', '%I:%M%p');
const epoch = compile('epoch');
const letterFirst = compile(
  '%A, %d-%b-%y %H:%M:%S %z?',
  '%A, %B %e, %Y %I:%M:%S %p',
  '%A, %B %e, %Y %H:%M:%S',
  '%a %b %e %Y %H:%M:%S GMT%z',
  '%a, %e %b %Y %H:%M:%S %z?',
  '%a %b %e %H:%M:%S %Y',
  '%a %b %e %H:%M:%S %z %Y',
  '%a %b %e %Y %H:%M:%S %z?',
  '%a %e %b %Y %H:%M:%S %z?',
  '%a %b %e %I:%M:%S %p %Y',
  '%a %e %b %H:%M:%S %Y',
  '%b %e %Y %H:%M:%S %z?',
  '%b %e, %Y %I:%M:%S %p',
  '%b %e, %Y, %I:%M:%S %p',
  '%b %e, %Y %H:%M:%S %z?',
  '%b %e %H:%M:%S %Y',
  '%b %e %H:%M:%S %z?',
);

/** Behind a time: a zone's name in brackets, another zone behind an offset, Go's monotonic clock. */
const annotation =
  /^(?:\s*\[[A-Za-z_/+\-0-9]{1,64}\])?(?:Z)?(?:\s+[A-Z]{2,5}|\s+[+-]\d{4})?(?:\s+\([A-Za-z ]{1,64}\))?(?:\s+m=[+-][\d.]{1,32})?$/;

/** Microseconds since 1970 of a text that is a time of any known form, and nothing else; NaN for any other text. */
export function microsOfText(text: string, context: TimeContext): number {
  const trimmed = text.trim();
  const plain = trimmed.startsWith('[') && trimmed.endsWith(']') ? trimmed.slice(1, -1) : trimmed;
  if (plain.startsWith('@')) return microsOfTai64(plain);
  if (/^(?:19|20)\d{12}(?:\d{3})?$/.test(plain)) return microsOfText(spacedDigits(plain), context);
  const behind = scanAnyTime(plain, 0, plain.length, context);
  if (behind < 0) return Number.NaN;
  const micros = readMicros();
  return behind === plain.length || annotation.test(plain.slice(behind)) ? micros : Number.NaN;
}

/** 20250314092653589 as an ISO time. */
function spacedDigits(text: string): string {
  const clock = `${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12, 14)}`;
  const millis = text.length > 14 ? `.${text.slice(14)}` : '';
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)} ${clock}${millis}`;
}

/** TAI64N as multilog writes it: @, 16 digits of seconds from 2^62 on, 8 of nanoseconds, in hexadecimal. */
function microsOfTai64(text: string): number {
  const match = /^@4([0-9a-f]{15})([0-9a-f]{8})?$/.exec(text);
  if (match === null) return Number.NaN;
  // International atomic time is ahead by the leap seconds, of which there were 10 before 1972 and 27 since; daemontools takes 10.
  const seconds = Number.parseInt(match[1]!, 16) - 10;
  const nanos = match[2] === undefined ? 0 : Number.parseInt(match[2], 16);
  return nanos < 1e9 ? seconds * 1_000_000 + Math.floor(nanos / 1000) : Number.NaN;
}

/** Reads a time of any known form. Returns the place behind it, -1 where there is none; `readMicros()` is its instant. */
export function scanAnyTime(text: string, at: number, end: number, context: TimeContext): number {
  const code = text.charCodeAt(at);
  if (!(code >= 0x30 && code <= 0x39))
    return isLetter(code) ? first(letterFirst, text, at, end, context) : -1;
  // The place of the first separator tells which forms are possible.
  const separator = at + digitsAt(text, at, end);
  const mark = text.charCodeAt(separator);
  if (separator - at === 4 && mark !== 0x20) {
    const behind = first(iso, text, at, end, context);
    if (behind > 0) return behind;
  }
  if (mark === 0x3a) return separator - at <= 2 ? first(clock, text, at, end, context) : -1;
  if (separator - at <= 2 && mark === 0x2f && !isLetter(text.charCodeAt(separator + 1)))
    return slashed(text, at, end, context);
  const behind = first(digitFirst, text, at, end, context);
  if (behind > 0) return behind;
  if (separator - at <= 2) return first(dotted, text, at, end, context);
  // 10 digits are seconds of today; other numbers in front of a line are no time.
  const isEpoch = [10, 13, 16, 19].includes(separator - at) && code === 0x31;
  return isEpoch ? first(epoch, text, at, end, context) : -1;
}

function slashed(text: string, at: number, end: number, context: TimeContext): number {
  const [preferred, other] = context.isDayFirst === true ? [dayFirst, monthFirst] : [monthFirst, dayFirst];
  const behind = first(preferred, text, at, end, context);
  if (behind > 0) return behind;
  const second = first(other, text, at, end, context);
  return second > 0 ? second : first(digitFirst, text, at, end, context);
}

function first(
  formats: readonly TimeFormat[],
  text: string,
  at: number,
  end: number,
  context: TimeContext,
): number {
  for (const format of formats) {
    const behind = format.scan(text, at, end, context);
    if (behind > 0) return behind;
  }
  return -1;
}

function digitsAt(text: string, at: number, end: number): number {
  let i = at;
  while (i < end && text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39) i++;
  return i - at;
}

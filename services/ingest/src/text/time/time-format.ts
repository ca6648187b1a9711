import { scanIso } from './scan-iso.ts';
import {
  clearParts,
  isBoundary,
  microsOfParts,
  parts,
  scanDigits,
  scanFraction,
  scanMonth,
  scannedEnd,
  scanZone,
  type TimeContext,
} from './scan-parts.ts';

/** Reads one form of time. */
export interface TimeFormat {
  /** Returns the place behind the time that begins at `at`, -1 where there is none; `readMicros()` is its instant. */
  scan: (text: string, at: number, end: number, context: TimeContext) => number;
}

/** Reads a part; returns the place behind it, or -1. */
type Step = (text: string, at: number, end: number) => number;

let micros = Number.NaN;

/** Microseconds since 1970 of the time that was read last. */
export function readMicros(): number {
  return micros;
}

const named: Readonly<Record<string, string>> = {
  syslog: '%b %e %H:%M:%S',
  http: '%d/%b/%Y:%H:%M:%S %z',
  rfc2822: '%a, %e %b %Y %H:%M:%S %z?',
};

const fixed = (least: number, most: number, set: (value: number) => void): Step => {
  return (text, at, end) => {
    const value = scanDigits(text, at, end, least, most);
    if (value < 0) return -1;
    set(value);
    return scannedEnd;
  };
};
const blanks: Step = (text, at, end) => {
  let i = at;
  while (i < end && isBlank(text.charCodeAt(i))) i++;
  return i === at ? -1 : i;
};
/** Java writes a narrow no-break space before AM. */
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0xa0 || code === 0x202f;
const padded = (step: Step): Step => {
  return (text, at, end) => step(text, text.charCodeAt(at) === 0x20 ? at + 1 : at, end);
};
const hour = (least: number): Step => fixed(least, 2, (value) => (parts.hour = value));
const dayOfMonth = (least: number): Step => fixed(least, 2, (value) => (parts.day = value));
const wordPattern = /[A-Za-z]{3,9}/y;

const directives: Readonly<Record<string, Step>> = {
  Y: fixed(4, 4, (value) => (parts.year = value)),
  y: fixed(2, 2, (value) => (parts.year = value < 69 ? 2000 + value : 1900 + value)),
  m: fixed(1, 2, (value) => (parts.month = value)),
  d: dayOfMonth(1),
  e: padded(dayOfMonth(1)),
  j: fixed(3, 3, (value) => (parts.dayOfYear = value)),
  H: hour(1),
  k: padded(hour(1)),
  I: padded(hour(1)),
  l: padded(hour(1)),
  M: fixed(1, 2, (value) => (parts.minute = value)),
  S: fixed(1, 2, (value) => (parts.second = value)),
  L: fixed(1, 3, (value) => (parts.fractionMicros = value * 1000)),
  f: scanFraction,
  b: scanMonth,
  B: scanMonth,
  h: scanMonth,
  a: weekday,
  A: weekday,
  p: (text, at) => {
    const second = text.charCodeAt(at + 1) | 0x20;
    const first = text.charCodeAt(at) | 0x20;
    if (second !== 0x6d || (first !== 0x61 && first !== 0x70)) return -1;
    parts.half = first === 0x61 ? 1 : 2;
    return at + 2;
  },
  z: (text, at, end) => scanZone(text, at, end, false),
  Z: (text, at, end) => scanZone(text, at, end, false),
  s: scanEpoch,
};
const shorthands: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  R: '%H:%M',
  F: '%Y-%m-%d',
  D: '%m/%d/%y',
};

function weekday(text: string, at: number, end: number): number {
  wordPattern.lastIndex = at;
  const word = wordPattern.exec(text)?.[0];
  if (word === undefined || at + word.length > end) return -1;
  return ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].includes(word.slice(0, 3).toLowerCase())
    ? at + word.length
    : -1;
}

/** Seconds, or milliseconds, microseconds, nanoseconds by their number of digits; seconds may have a fraction. */
function scanEpoch(text: string, at: number, end: number): number {
  let i = at;
  while (i < end && i - at < 20 && text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39) i++;
  const digits = i - at;
  if (digits < 9 || digits > 19) return -1;
  if (digits > 16) parts.epochMicros = Number(text.slice(at, i - (digits - 16)));
  else if (digits > 13) parts.epochMicros = Number(text.slice(at, i));
  else if (digits > 11) parts.epochMicros = Number(text.slice(at, i)) * 1000;
  else {
    parts.epochMicros = Number(text.slice(at, i)) * 1_000_000;
    const behind = text.charCodeAt(i) === 0x2e ? scanFraction(text, i + 1, end) : -1;
    if (behind > 0) {
      parts.epochMicros += parts.fractionMicros;
      return behind;
    }
  }
  return i;
}

/**
 * Compiles `iso8601`, `epoch`, `syslog`, `http`, `rfc2822`, or a format as strptime has it (%Y-%m-%d %H:%M:%S). Seconds may have a
 * fraction; a blank stands for one or more; `?` behind a directive makes it, and a blank before it, optional. Throws a RangeError that
 * says what is wrong.
 */
export function compileTimeFormat(source: string): TimeFormat {
  if (source === 'iso8601') return { scan: scanWith(scanIso) };
  if (source === 'epoch') return { scan: scanWith(scanEpoch) };
  const steps = compileSteps(named[source] ?? source);
  return {
    scan: scanWith((text, at, end) => {
      let i = at;
      for (const step of steps) {
        i = step(text, i, end);
        if (i < 0) return -1;
      }
      return i;
    }),
  };
}

function scanWith(step: Step): TimeFormat['scan'] {
  return (text, at, end, context) => {
    clearParts();
    const behind = step(text, at, end);
    if (behind < 0 || !isBoundary(text, behind, end)) return -1;
    micros = microsOfParts(context);
    return Number.isNaN(micros) ? -1 : behind;
  };
}

function compileSteps(source: string): Step[] {
  const format = source.replace(/%([TRFD])/g, (_, letter: string) => shorthands[letter]!);
  const steps: Step[] = [];
  let hasDirective = false;
  for (let i = 0; i < format.length; i++) {
    if (format[i] === ' ') {
      // The blank before an optional directive is optional with it.
      const optional = /^ +%[zZp]\?/.exec(format.slice(i))?.[0];
      if (optional !== undefined) {
        steps.push(optionalStep(directiveOf(format, i + optional.length - 2), true));
        hasDirective = true;
        i += optional.length - 1;
      } else if (format[i - 1] !== ' ') steps.push(blanks);
    } else if (format[i] === '%' && format[i + 1] === '%') steps.push(literal(format[++i]!));
    else if (format[i] === '%') {
      const letter = format[++i];
      const step = directiveOf(format, i);
      hasDirective = true;
      const isOptional = format[i + 1] === '?';
      if (isOptional) i++;
      steps.push(isOptional ? optionalStep(step, false) : step);
      if (letter === 'S' && !/^[.,:]?%[fL]/.test(format.slice(i + 1))) steps.push(optionalFraction);
    } else steps.push(literal(format[i]!));
  }
  if (!hasDirective)
    throw new RangeError(`${source} is no time format: write iso8601, epoch, syslog, http or %Y-%m-%d …`);
  return steps;
}

function directiveOf(format: string, at: number): Step {
  const letter = format[at] ?? '';
  const step = Object.hasOwn(directives, letter) ? directives[letter] : undefined;
  if (step === undefined)
    throw new RangeError(
      `%${letter} is not known in a time format: known are %${Object.keys(directives).join(' %')} %T %R %F %D`,
    );
  return step;
}

function literal(character: string): Step {
  const code = character.charCodeAt(0);
  return (text, at, end) => (at < end && text.charCodeAt(at) === code ? at + 1 : -1);
}

function optionalStep(step: Step, isApart: boolean): Step {
  return (text, at, end) => {
    const start = isApart ? blanks(text, at, end) : at;
    const behind =
      start < 0
        ? -1
        : isApart && step !== directives['p']
          ? scanZone(text, start, end, true)
          : step(text, start, end);
    return behind < 0 ? at : behind;
  };
}

const optionalFraction: Step = (text, at, end) => {
  const code = text.charCodeAt(at);
  if (code !== 0x2e && code !== 0x2c) return at;
  const behind = scanFraction(text, at + 1, end);
  return behind < 0 ? at : behind;
};

import type { Level } from '@logloom/schemas';

/** The words of each level, in lower case. */
export const levelWords: Readonly<Record<Level, readonly string[]>> = {
  trace: ['trace', 'trc', 'trac', 't', 'v', 'verbose', 'verb', 'vrb', 'finest', 'finer', 'silly', 'all'],
  debug: ['debug', 'dbg', 'debg', 'dbug', 'd', 'fine', 'config'],
  info: [
    'info',
    'information',
    'informational',
    'inf',
    'i',
    'notice',
    'note',
    'ntc',
    'n',
    'log',
    'default',
    'success',
    'audit',
    'normal',
  ],
  warn: ['warn', 'warning', 'wrn', 'warni', 'w'],
  error: ['error', 'err', 'erro', 'eror', 'e', 'severe', 'failure'],
  fatal: [
    'fatal',
    'ftl',
    'fatl',
    'f',
    'crit',
    'critical',
    'crt',
    'c',
    'alert',
    'alrt',
    'emerg',
    'emergency',
    'panic',
    'dpanic',
    'pnc',
    'disaster',
  ],
};

// OpenTelemetry's short names go up to 4 within a level: INFO2, ERROR4.
const byText = new Map<string, Level>(
  Object.entries(levelWords).flatMap(([level, texts]) =>
    [...texts, ...[2, 3, 4].map((step) => `${level}${step}`)].flatMap((text) =>
      [text, text.toUpperCase(), text[0]!.toUpperCase() + text.slice(1)].map(
        (form) => [form, level as Level] as const,
      ),
    ),
  ),
);

const ascending: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const maxWordLength = 64;

/** slog's levels between its names (Go, log/slog): ERROR+4. */
const slog = /^(trace|debug|info|warn|error|fatal)([+-]\d{1,3})$/;
const slogNumbers: Readonly<Record<string, number>> = {
  trace: -8,
  debug: -4,
  info: 0,
  warn: 4,
  error: 8,
  fatal: 12,
};
/** What stands around a word: [ERROR], ERROR:, LogLevel.Error, SEVERITY_ERROR, LOG_ERR, daemon.err. */
const wrapped =
  /^[^a-z0-9]*(?:[a-z0-9_]{1,32}\.)?(?:severity_(?:number_)?|log_?level_|level_|log_)?([a-z]+\d?)[^a-z0-9]*$/;

/** Returns the level of a name or alias in any case, or of a number in digits; undefined for any other word. */
export function levelOfText(text: string): Level | undefined {
  const known = byText.get(text);
  if (known !== undefined) return known;
  if (text.length > maxWordLength) return undefined;
  const word = text.trim().toLowerCase();
  if (word !== '' && Number.isFinite(Number(word))) return levelOfNumber(Number(word));
  const plain = byText.get(word);
  if (plain !== undefined) return plain;
  const offset = slog.exec(word);
  if (offset !== null) return levelOfSlog(slogNumbers[offset[1]!]! + Number(offset[2]));
  const inner = wrapped.exec(word)?.[1];
  return inner === undefined ? undefined : byText.get(inner);
}

/** slog has four numbers to a level, and INFO is 0. */
function levelOfSlog(number: number): Level {
  return ascending[Math.min(5, Math.max(0, Math.floor(number / 4) + 2))]!;
}

/** The levels of syslog's severities, 0 emergency to 7 debug (RFC 5424, 6.2.1). */
export const levelsBySeverity: readonly Level[] = [
  'fatal',
  'fatal',
  'fatal',
  'error',
  'warn',
  'info',
  'info',
  'debug',
];

/** How a family of loggers numbers its levels; `size`: by the magnitude of the number. */
export type LevelScale =
  | 'size'
  | 'syslog'
  | 'opentelemetry'
  | 'google-cloud'
  | 'monolog'
  | 'log4j'
  | 'python'
  | 'tslog'
  | 'application-insights'
  | 'mongodb';

/** By the last digit of the hundreds. Google Cloud's LogSeverity: 100 DEBUG, 200 INFO, 300 NOTICE … 800 EMERGENCY. */
const googleCloud: readonly Level[] = [
  'info',
  'debug',
  'info',
  'info',
  'warn',
  'error',
  'fatal',
  'fatal',
  'fatal',
];
/** Monolog: 100 DEBUG, 200 INFO, 250 NOTICE, 300 WARNING, 400 ERROR, 500 CRITICAL, 550 ALERT, 600 EMERGENCY. */
const monolog: readonly Level[] = ['debug', 'debug', 'info', 'warn', 'error', 'fatal', 'fatal'];
/** log4j and logback: 5000 TRACE, 10000 DEBUG … 50000 FATAL. */
const log4j: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
/** Python's logging: 10 DEBUG, 20 INFO, 30 WARNING, 40 ERROR, 50 CRITICAL; loguru has 5 TRACE and 25 SUCCESS too. */
const python: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
/** tslog: 0 silly, 1 trace, 2 debug, 3 info, 4 warn, 5 error, 6 fatal. */
const tslog: readonly Level[] = ['trace', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'];
/** Application Insights: 0 Verbose, 1 Information, 2 Warning, 3 Error, 4 Critical. */
const applicationInsights: readonly Level[] = ['trace', 'info', 'warn', 'error', 'fatal'];

const at = (scale: readonly Level[], index: number): Level | undefined =>
  index >= 0 ? scale[Math.min(Math.floor(index), scale.length - 1)] : undefined;

const numbersOf: Readonly<Record<LevelScale, (number: number) => Level | undefined>> = {
  size: levelOfNumber,
  syslog: (number) => levelsBySeverity[number],
  opentelemetry: levelOfSeverityNumber,
  'google-cloud': (number) => (number >= 100 ? at(googleCloud, number / 100) : levelOfNumber(number)),
  monolog: (number) => at(monolog, number / 100),
  log4j: (number) => at(log4j, number / 10_000),
  python: (number) => at(python, number / 10),
  tslog: (number) => at(tslog, number),
  'application-insights': (number) => at(applicationInsights, number),
  mongodb: levelOfNumber,
};

/** MongoDB writes D1 to D5 for the degrees of debug. */
const mongodbDebug = /^D[1-5]?$/;

/** Returns the level of a value as its family numbers levels; undefined where it says none. */
export function readLevel(value: unknown, scale: LevelScale): Level | undefined {
  if (typeof value === 'number') return numbersOf[scale](value);
  if (typeof value !== 'string') return undefined;
  if (scale === 'size') return levelOfText(value);
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isNaN(number)) return numbersOf[scale](number);
  return scale === 'mongodb' && mongodbDebug.test(value) ? 'debug' : levelOfText(value);
}

/** Names under which one family writes its numbers. */
const scaleOfNames: Readonly<Record<string, LevelScale>> = {
  severityNumber: 'opentelemetry',
  severity_number: 'opentelemetry',
  severity: 'google-cloud',
  severityLevel: 'application-insights',
  level_value: 'log4j',
  levelno: 'python',
  'log.syslog.severity.code': 'syslog',
  syslog_severity: 'syslog',
};

/** The scale of the numbers under a name; `ofFormat` is that of the event's format, where it has one. */
export function scaleOf(name: string, ofFormat?: LevelScale): LevelScale {
  return ofFormat ?? scaleOfNames[name] ?? 'size';
}

/**
 * Returns the level of a number by its magnitude: 0 to 7 are syslog's severities, as rsyslog and GELF write them; 10 trace, 20 debug … 60
 * fatal are pino's and bunyan's, where numbers in between mean the level below; hundreds are Monolog's, thousands those of log4j.
 */
export function levelOfNumber(number: number): Level {
  const severity = levelsBySeverity[number];
  if (severity !== undefined) return severity;
  if (number >= 1000) return at(log4j, number / 10_000)!;
  if (number >= 100) return at(monolog, number / 100)!;
  return ascending[Math.min(5, Math.max(0, Math.floor(number / 10) - 1))]!;
}

/** Returns the level of OpenTelemetry's severity number: 1 to 24, four per level. */
export function levelOfSeverityNumber(number: number): Level | undefined {
  return number >= 1 && number <= 24 ? ascending[Math.floor((number - 1) / 4)] : undefined;
}

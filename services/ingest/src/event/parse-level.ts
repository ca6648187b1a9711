import type { Level } from '@logloom/schemas';

const aliases: Record<Level, readonly string[]> = {
  trace: ['trace', 'trc', 't', 'verbose', 'finest', 'finer', 'silly'],
  debug: ['debug', 'dbg', 'd', 'fine', 'config'],
  info: ['info', 'information', 'informational', 'inf', 'i', 'notice', 'log', 'default'],
  warn: ['warn', 'warning', 'wrn', 'w'],
  error: ['error', 'err', 'e', 'severe', 'failure'],
  fatal: ['fatal', 'ftl', 'f', 'crit', 'critical', 'c', 'alert', 'emerg', 'emergency', 'panic', 'dpanic'],
};

// OpenTelemetry's short names go up to 4 within a level: INFO2, ERROR4.
const byText = new Map<string, Level>(
  Object.entries(aliases).flatMap(([level, texts]) =>
    [...texts, ...[2, 3, 4].map((step) => `${level}${step}`)].flatMap((text) =>
      [text, text.toUpperCase(), text[0]!.toUpperCase() + text.slice(1)].map(
        (form) => [form, level as Level] as const,
      ),
    ),
  ),
);

const ascending: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** Returns the level of a name or alias in any case, or of a number in digits; undefined for any other word. */
export function levelOfText(text: string): Level | undefined {
  const known = byText.get(text);
  if (known !== undefined) return known;
  const word = text.trim().toLowerCase();
  if (word !== '' && Number.isFinite(Number(word))) return levelOfNumber(Number(word));
  return byText.get(word);
}

/** The levels of syslog's severities, 0 emergency to 7 debug (RFC 5424, 6.2.1). */
const bySeverity: readonly Level[] = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'];

/**
 * Returns the level of a number. pino and bunyan use 10 trace, 20 debug, ... 60 fatal; numbers in between mean the level below. They do
 * not use 0 to 7, which are syslog's severities, as rsyslog and GELF write them.
 */
export function levelOfNumber(number: number): Level {
  const severity = bySeverity[number];
  if (severity !== undefined) return severity;
  return ascending[Math.min(5, Math.max(0, Math.floor(number / 10) - 1))]!;
}

/** Returns the level of OpenTelemetry's severity number: 1 to 24, four per level. */
export function levelOfSeverityNumber(number: number): Level | undefined {
  return number >= 1 && number <= 24 ? ascending[Math.floor((number - 1) / 4)] : undefined;
}

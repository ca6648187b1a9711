import type { MaintenanceWindow, Silence } from '@logloom/schemas';
import { ApiError, type ApiErrorDetails } from '../errors.ts';
import { QueryParameters } from '../api/query-parameters.ts';
import { matcherText, parseMatcher } from './matcher.ts';
import { isTimeZone, minutesOf, weekdays } from './silence-schedule.ts';

const names = [
  'matchers',
  'startsAt',
  'endsAt',
  'duration',
  'windows',
  'timeZone',
  'reason',
  'author',
] as const;
const maxMatchers = 20;
const maxWindows = 20;
export const maxReasonLength = 1000;
export const maxAuthorLength = 200;

/** Reads the body of a request that makes a silence. Throws ApiError `bad-parameter` with the parameter's name. */
export function readSilenceRequest(
  body: Readonly<Record<string, unknown>>,
  { id, author, nowMs }: { id: string; author: string; nowMs: number },
): Silence {
  refuseUnknown(body, names);
  const times = new QueryParameters(
    {
      from: timeText(body, 'startsAt'),
      to: timeText(body, 'endsAt'),
      duration: timeText(body, 'duration'),
    },
    nowMs,
  );
  const windows = readWindows(body['windows']);
  const timeZone = body['timeZone'] ?? 'UTC';
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone))
    throw bad('timeZone', 'timeZone is an IANA time zone such as Europe/Berlin');
  const startsAt = timeOf(times, 'from', 'startsAt') ?? nowMs;
  const durationMs = named('duration', () => times.durationMs('duration'));
  const given = timeOf(times, 'to', 'endsAt');
  if (given !== undefined && durationMs !== undefined)
    throw bad('duration', 'a silence has endsAt or duration, not both');
  const endsAt = given ?? (durationMs === undefined ? null : startsAt + durationMs);
  if (endsAt === null && windows.length === 0)
    throw bad('endsAt', 'a silence needs endsAt or duration, unless it has windows');
  if (endsAt !== null && endsAt <= Math.max(startsAt, nowMs))
    throw bad('endsAt', 'endsAt is after startsAt, and in the future');
  return {
    id,
    matchers: readMatchers(body['matchers']),
    startsAt,
    endsAt,
    reason: readText(body['reason'], 'reason', maxReasonLength),
    author,
    createdAt: nowMs,
    endedBy: null,
    windows,
    timeZone,
  };
}

/** A misspelled field would otherwise be as if it were not there. Throws ApiError `bad-parameter`. */
export function refuseUnknown(body: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw bad(unknown, `there is no parameter ${unknown}: it takes ${known.join(', ')}`);
}

/** In JSON, milliseconds may be a number. */
function timeText(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw bad(name, `${name} is a text or a number of milliseconds`);
}

/** A text of the body that must not be empty. Throws ApiError `bad-parameter`. */
export function readText(value: unknown, name: string, maxLength: number): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxLength)
    throw bad(name, `${name} is a text of 1 to ${maxLength} characters`);
  return value.trim();
}

function readMatchers(value: unknown): string[] {
  const isList = Array.isArray(value) && value.length > 0 && value.length <= maxMatchers;
  if (!isList || !value.every((text) => typeof text === 'string'))
    throw bad('matchers', `matchers is a list of 1 to ${maxMatchers} texts such as service=payment`);
  const matchers = value.map(parseMatcher);
  // Without labels there is nothing that it looks at.
  if (matchers.every((matcher) => matcher.matches({})))
    throw bad('matchers', 'one matcher must not match an empty value: the silence would hide every alert');
  return matchers.map(matcherText);
}

function readWindows(value: unknown): MaintenanceWindow[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > maxWindows)
    throw bad('windows', `windows is a list of at most ${maxWindows}`);
  return value.map((window: unknown) => {
    const { days, from, to } = (window ?? {}) as Record<string, unknown>;
    const known: readonly string[] = weekdays;
    if (!Array.isArray(days) || days.length === 0 || !days.every((day) => known.includes(day as string)))
      throw bad('windows', `the days of a window are a list of: ${weekdays.join(', ')}`);
    if (![from, to].every((text) => typeof text === 'string' && minutesOf(text) !== undefined))
      throw bad('windows', 'a window has from and to as hh:mm');
    return { days: [...new Set(days as string[])], from: from as string, to: to as string };
  });
}

/** In ms. */
function timeOf(times: QueryParameters, parameter: 'from' | 'to', name: string): number | undefined {
  return named(name, () => {
    const { fromMicros, toMicros } = times.range();
    const micros = parameter === 'from' ? fromMicros : toMicros;
    return micros === undefined ? undefined : Math.floor(micros / 1000);
  });
}

/** The error of the parameter under the name that the body has for it. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Both times are read at once, so the error may be the other one's.
    const { parameter } = error.details as ApiErrorDetails;
    const wrong = parameter === 'to' ? 'endsAt' : name;
    throw bad(wrong, error.message.replace(/^from\b/, 'startsAt').replace(/^to\b|\bto$/, 'endsAt'));
  }
}

function bad(parameter: string, message: string): ApiError {
  return new ApiError('bad-parameter', message, { parameter });
}

import type { MaintenanceWindow, Silence } from '@logloom/schemas';

export type SilenceState = 'pending' | 'active' | 'expired';

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const minuteMs = 60_000;

/**
 * Whether the silence is in force at a time (ms since 1970). One with windows is `pending` between them. Windows follow the wall clock of
 * their time zone: where the clock is set forward, a window is shorter by what is left out.
 */
export function silenceState(silence: Silence, atMs: number): SilenceState {
  if (silence.endsAt !== null && atMs >= silence.endsAt) return 'expired';
  if (atMs < silence.startsAt) return 'pending';
  if (silence.windows.length === 0) return 'active';
  const local = localTime(silence.timeZone, atMs);
  return silence.windows.some((window) => isInside(window, local)) ? 'active' : 'pending';
}

/** The first time after `atMs` at which the state may be another; Infinity if it never is. */
export function nextChangeMs(silence: Silence, atMs: number): number {
  const ends = silence.endsAt ?? Infinity;
  if (atMs >= ends) return Infinity;
  if (atMs < silence.startsAt) return Math.min(silence.startsAt, ends);
  if (silence.windows.length === 0) return ends;
  // Windows begin and end with minutes.
  return Math.min(ends, (Math.floor(atMs / minuteMs) + 1) * minuteMs);
}

/** Whether the runtime knows the IANA time zone. */
export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** Minutes since midnight of `hh:mm`; undefined for another text. */
export function minutesOf(text: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

interface LocalTime {
  /** From 0, Sunday. */
  weekday: number;
  minutes: number;
}

function isInside({ days, from, to }: MaintenanceWindow, { weekday, minutes }: LocalTime): boolean {
  const [start, end] = [minutesOf(from)!, minutesOf(to)!];
  const began = (day: number): boolean => days.includes(weekdays[(day + 7) % 7]!);
  if (start < end) return began(weekday) && minutes >= start && minutes < end;
  return (began(weekday) && minutes >= start) || (began(weekday - 1) && minutes < end);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(timeZone, format);
  }
  return format;
}

function localTime(timeZone: string, atMs: number): LocalTime {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  return {
    weekday: weekdays.indexOf(parts.get('weekday')!.toLowerCase() as (typeof weekdays)[number]),
    minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

import { formatMicros, measuredText, type Silence } from '@logloom/schemas';
import type { AlertState } from './alert-state.ts';
import type { SilenceInForce } from './silence-book.ts';

/** Milliseconds since 1970 as RFC 3339. */
export function time(ms: number): string {
  return formatMicros(ms * 1000);
}

/** An alert as the API returns it. What it lacks is left out. */
export function alertStateJson(alert: AlertState) {
  const { severity, condition, value, startsAt, endsAt, lastAt, acknowledged, revision: _, ...rest } = alert;
  return {
    ...rest,
    ...(severity === null ? {} : { severity }),
    ...(condition === '' ? {} : { condition }),
    ...(value === null ? {} : { value, measured: measuredText(condition, value) }),
    startsAt: time(startsAt),
    ...(endsAt === null ? {} : { endsAt: time(endsAt) }),
    lastAt: time(lastAt),
    ...(acknowledged === null ? {} : { acknowledged: { ...acknowledged, at: time(acknowledged.at) } }),
  };
}

/** A silence as the API returns it. */
export function silenceJson({ silence, state }: SilenceInForce) {
  return { state, ...silenceFields(silence) };
}

/** The part of it that does not depend on the time. */
export function silenceFields(silence: Silence) {
  const { id, matchers, startsAt, endsAt, reason, author, createdAt, endedBy, windows, timeZone } = silence;
  return {
    id,
    matchers,
    startsAt: time(startsAt),
    ...(endsAt === null ? {} : { endsAt: time(endsAt) }),
    ...(windows.length === 0
      ? {}
      : { windows: windows.map(({ days, from, to }) => ({ days, from, to })), timeZone }),
    reason,
    author,
    createdAt: time(createdAt),
    ...(endedBy === null ? {} : { endedBy }),
  };
}

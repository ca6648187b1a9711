import { levelOfStatus } from './layouts/refine.ts';
import type { TextEvent } from './layouts/layout.ts';
import { formatMicros } from '@logloom/schemas';
import { microsOfText } from './time/any-time.ts';
import type { TimeContext } from './time/scan-parts.ts';

/** Returns the event of logfmt's pairs. A request's pairs without a message keep the line as theirs; undefined for pairs that are no event. */
export function readLogfmt(
  pairs: Record<string, unknown>,
  text: string,
  context: TimeContext,
): TextEvent | undefined {
  const event: TextEvent = { ...pairs };
  // Grafana writes t, Heroku's router at.
  rename(event, 't', 'time', (value) => isTime(value, context));
  for (const name of ['time', 'ts', 'timestamp']) {
    const micros = typeof event[name] === 'string' ? microsOfText(event[name], context) : Number.NaN;
    if (!Number.isNaN(micros)) event[name] = formatMicros(micros);
  }
  rename(event, 'at', 'level', (value) => /^(?:info|error|warn|warning|debug)$/.test(String(value)));
  if (['msg', 'message', 'event', 'error', 'err'].some((name) => typeof event[name] === 'string'))
    return event;
  event['message'] = text;
  const status = event['status'];
  if (typeof status === 'number' && ('method' in event || 'path' in event) && !('level' in event)) {
    const level = levelOfStatus(status);
    if (level !== undefined) event['level'] = level;
  }
  return event;
}

function rename(event: TextEvent, from: string, to: string, isMeant: (value: unknown) => boolean): void {
  if (!(from in event) || to in event || !isMeant(event[from])) return;
  event[to] = event[from];
  delete event[from];
}

function isTime(value: unknown, context: TimeContext): boolean {
  return typeof value === 'string' && !Number.isNaN(microsOfText(value, context));
}

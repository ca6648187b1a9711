import { durationMs } from '@logloom/schemas';

/** Where a subscription starts. */
export type From =
  | { type: 'now' }
  | { type: 'cursor'; cursor: string }
  /** The last `count` events that match. */
  | { type: 'tail'; count: number }
  /** What the log received during the last `ms` milliseconds. */
  | { type: 'last'; ms: number };

export type ParsedFrom = { ok: true; from: From } | { ok: false; problem: string };

export const maxTail = 10_000;
const maxLastMs = 366 * 86_400_000;

/** Reads the `from` of a subscribe message: "now", {cursor}, {tail} or {last}. */
export function parseFrom(value: unknown): ParsedFrom {
  if (value === 'now') return { ok: true, from: { type: 'now' } };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, problem: 'is not "now" or an object' };
  const names = Object.keys(value);
  const { cursor, tail, last } = value as Record<string, unknown>;
  if (names.length !== 1) return { ok: false, problem: 'needs exactly one of cursor, tail, last' };
  if (cursor !== undefined) {
    if (typeof cursor !== 'string') return { ok: false, problem: 'cursor is not a string' };
    return { ok: true, from: { type: 'cursor', cursor } };
  }
  if (tail !== undefined) {
    if (typeof tail !== 'number' || !Number.isInteger(tail) || tail < 1 || tail > maxTail)
      return { ok: false, problem: `tail is not a whole number from 1 to ${maxTail}` };
    return { ok: true, from: { type: 'tail', count: tail } };
  }
  if (last !== undefined) {
    const ms = typeof last === 'string' ? lastMs(last) : undefined;
    if (ms === undefined) return { ok: false, problem: 'last is not a duration such as 90s, 5m, 2h or 1d' };
    return { ok: true, from: { type: 'last', ms } };
  }
  return { ok: false, problem: 'needs exactly one of cursor, tail, last' };
}

/** Reads `from` in its form in a URL: now, a cursor, tail:100, last:5m, or the JSON of parseFrom(). */
export function parseFromText(text: string): ParsedFrom {
  if (text === '' || text === 'now') return { ok: true, from: { type: 'now' } };
  if (text.startsWith('{') || text.startsWith('"')) {
    try {
      return parseFrom(JSON.parse(text));
    } catch {
      return { ok: false, problem: 'is not JSON' };
    }
  }
  if (text.startsWith('tail:')) return parseFrom({ tail: Number(text.slice(5) || Number.NaN) });
  if (text.startsWith('last:')) return parseFrom({ last: text.slice(5) });
  return { ok: true, from: { type: 'cursor', cursor: text } };
}

/** Undefined: not a time, or too long. */
function lastMs(text: string): number | undefined {
  const ms = durationMs(text);
  return ms > 0 && ms <= maxLastMs ? ms : undefined;
}

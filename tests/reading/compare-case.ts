import { formatMicros, type LogEvent } from '@logloom/schemas';
import type { ExpectedEvent, ReadingCase } from './reading-case.ts';

/** What became of a case. */
export interface Outcome {
  events: readonly LogEvent[];
  rejected: number;
  sentAtMs: number;
}

const dayMs = 86_400_000;
const receiptMs = 60_000;

/** The differences between what a case expects and what became of it; none when it is right. */
export function compareCase(each: ReadingCase, { events, rejected, sentAtMs }: Outcome): string[] {
  const ignored = each.ignore === undefined ? undefined : new RegExp(each.ignore);
  const counted = events.filter(({ message }) => ignored?.test(message) !== true);
  const problems: string[] = [];
  // Syslog refuses nothing.
  if (!each.door.startsWith('syslog') && ![each.rejected ?? 0].flat().includes(rejected))
    problems.push(`rejected: expected ${shown(each.rejected ?? 0)}, got ${rejected}`);
  if (counted.length !== each.expect.length) {
    const messages = counted.map(({ message }) => message.slice(0, 60)).join(' | ');
    return [...problems, `events: expected ${each.expect.length}, got ${counted.length}: ${messages}`];
  }
  each.expect.forEach((expected, i) => {
    const where = each.expect.length > 1 ? `event ${i}: ` : '';
    for (const line of compareEvent(expected, counted[i]!, counted, sentAtMs)) problems.push(where + line);
  });
  return problems;
}

function* compareEvent(
  expected: ExpectedEvent,
  event: LogEvent,
  all: readonly LogEvent[],
  sentAtMs: number,
): Generator<string> {
  const { timestamp, messageIncludes = [], attributes = {}, sameCorrelationAs, ...fields } = expected;
  const time = formatMicros(event.timestamp);
  if (timestamp === 'received') {
    if (!(Math.abs(Date.parse(time) - sentAtMs) < receiptMs))
      yield problem('timestamp', 'the time of receipt', time);
  } else if (timestamp !== undefined) {
    const allowed = [timestamp].flat().map((one) => (one === null ? null : withYear(one)));
    if (!allowed.includes(time)) yield problem('timestamp', allowed, time);
  }
  for (const part of [messageIncludes].flat())
    if (!event.message.includes(part)) yield problem('message', `…${part}…`, event.message);
  const actual = flat(JSON.parse(event.attributes));
  for (const [name, value] of flat(attributes))
    if (actual.get(name) !== value) yield `attributes.${name}: expected ${value}, got ${actual.get(name)}`;
  if (sameCorrelationAs !== undefined) {
    const other = all[sameCorrelationAs]?.correlationId ?? null;
    if (other === null || other !== event.correlationId)
      yield problem('correlationId', `that of event ${sameCorrelationAs}, ${other}`, event.correlationId);
  }
  for (const [name, value] of Object.entries(fields)) {
    const given = event[name as keyof LogEvent];
    if (![value as unknown].flat().includes(given)) yield problem(name, value, given);
  }
}

function problem(field: string, expected: unknown, actual: unknown): string {
  return `${field}: expected ${shown(expected)}, got ${shown(actual)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}

function withYear(time: string): string {
  if (!time.startsWith('YYYY')) return time;
  for (let year = new Date().getUTCFullYear() + 1; ; year--) {
    const candidate = time.replace('YYYY', String(year));
    if (Date.parse(candidate) <= Date.now() + dayMs) return candidate;
  }
}

/** The leaves under their dotted names, as JSON. */
function flat(value: unknown, name = '', into = new Map<string, string>()): Map<string, string> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && Object.keys(value).length > 0)
    for (const [key, inner] of Object.entries(value)) flat(inner, name === '' ? key : `${name}.${key}`, into);
  else if (name !== '') into.set(name, JSON.stringify(value));
  return into;
}

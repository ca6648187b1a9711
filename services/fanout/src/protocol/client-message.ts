import { liveError, type LiveError } from '../errors.ts';
import { priorities, type Priority } from './priority.ts';
import { parseFrom, type From } from './subscribe-from.ts';

export const streamNames = ['events', 'correlations'] as const;
export type StreamName = (typeof streamNames)[number];

export interface SubscribeRequest {
  id: string;
  filter: string;
  stream: StreamName;
  from: From;
  priority: Priority;
  /** The name under which the server keeps the subscription's cursor. */
  durable?: string;
}

export type ClientMessage =
  | ({ type: 'subscribe' } & SubscribeRequest)
  | { type: 'unsubscribe'; id: string }
  | { type: 'ack'; id: string; cursor: string }
  | { type: 'pause'; id: string; forMs?: number }
  | { type: 'resume'; id: string }
  | { type: 'ping' };

export type ParsedMessage = { ok: true; message: ClientMessage } | { ok: false; error: LiveError };

const maxIdLength = 128;
/** The longest that a timer can wait, 24 days. */
const maxPauseMs = 2 ** 31 - 1;
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Reads a client's message. `filter` is everything, `stream` events and `from` now where they are absent; unknown fields are ignored, for
 * clients of a later version.
 */
export function parseClientMessage(text: string): ParsedMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad('the message is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad('the message is not an object');
  const fields = value as Record<string, unknown>;
  if (typeof fields['type'] !== 'string') return bad('type: is not a string');
  switch (fields['type']) {
    case 'ping':
      return { ok: true, message: { type: 'ping' } };
    case 'subscribe':
      return withId(fields, (id) => subscribe(id, fields));
    case 'unsubscribe':
      return withId(fields, (id) => ({ ok: true, message: { type: 'unsubscribe', id } }));
    case 'pause':
      return withId(fields, (id) => pause(id, fields));
    case 'resume':
      return withId(fields, (id) => ({ ok: true, message: { type: 'resume', id } }));
    case 'ack':
      return withId(fields, (id) =>
        typeof fields['cursor'] === 'string'
          ? { ok: true, message: { type: 'ack', id, cursor: fields['cursor'] } }
          : bad('cursor: is not a string', id),
      );
    default:
      return { ok: false, error: liveError('unknown-type', { id: asId(fields['id']) }) };
  }
}

function subscribe(id: string, fields: Record<string, unknown>): ParsedMessage {
  const { filter = '', stream = 'events', priority = 'normal' } = fields;
  if (typeof filter !== 'string') return bad('filter: is not a string', id);
  if (!streamNames.includes(stream as StreamName))
    return bad(`stream: is not one of ${streamNames.join(', ')}`, id);
  if (!priorities.includes(priority as Priority))
    return bad(`priority: is not one of ${priorities.join(', ')}`, id);
  const durable = asId(fields['durable']);
  if (fields['durable'] !== undefined && durable === undefined)
    return bad(`durable: is not a string of 1 to ${maxIdLength} characters`, id);
  const from = parseFrom(fields['from'] ?? 'now');
  if (!from.ok) return bad(`from: ${from.problem}`, id);
  return {
    ok: true,
    message: {
      type: 'subscribe',
      id,
      filter,
      stream: stream as StreamName,
      from: from.from,
      priority: priority as Priority,
      ...(durable === undefined ? {} : { durable }),
    },
  };
}

function pause(id: string, { forMs, until }: Record<string, unknown>): ParsedMessage {
  if (forMs === undefined && until === undefined) return { ok: true, message: { type: 'pause', id } };
  if (forMs !== undefined && until !== undefined) return bad('send until or forMs, not both', id);
  const ms =
    forMs ?? (typeof until === 'string' && rfc3339.test(until) ? Date.parse(until) - Date.now() : NaN);
  if (typeof ms !== 'number' || Number.isNaN(ms) || ms > maxPauseMs)
    return bad(
      `until is not an RFC 3339 time, or forMs is not a number, of at most ${maxPauseMs} ms from now`,
      id,
    );
  return { ok: true, message: { type: 'pause', id, forMs: Math.max(0, ms) } };
}

function withId(fields: Record<string, unknown>, then: (id: string) => ParsedMessage): ParsedMessage {
  const id = asId(fields['id']);
  return id === undefined ? bad(`id: is not a string of 1 to ${maxIdLength} characters`) : then(id);
}

function asId(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxIdLength ? value : undefined;
}

function bad(message: string, id?: string): ParsedMessage {
  return { ok: false, error: liveError('bad-message', { message, id }) };
}

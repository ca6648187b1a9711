import type { Level } from '@logloom/schemas';
import { fieldOf, setField, type TextEvent } from './layout.ts';

/** Reads the request and status of an access log's line: 5xx is an error, 4xx a warning. */
export function refineAccess(event: TextEvent): void {
  const { request, bytes, status } = event;
  delete event['request'];
  delete event['bytes'];
  delete event['status'];
  if (typeof request === 'string') {
    const [method, target, protocol, ...more] = request.split(' ');
    if (more.length === 0 && target !== undefined && /^[A-Z]{3,20}$/.test(method!)) {
      setField(event, ['http', 'request', 'method'], method);
      setField(event, ['url', 'original'], target);
      setField(event, ['http', 'version'], /^HTTP\/(\d(?:\.\d)?)$/.exec(protocol ?? '')?.[1]);
    }
  }
  const code = Number(status ?? fieldOf(event, 'http.response.status_code'));
  if (isStatus(code)) {
    setField(event, ['http', 'response', 'status_code'], code);
    event['level'] ??= levelOfStatus(code);
  }
  const size = Number(bytes ?? 'none');
  if (Number.isInteger(size)) setField(event, ['http', 'response', 'body', 'size'], size);
}

function isStatus(code: number): boolean {
  return Number.isInteger(code) && code >= 100 && code < 1000;
}

/** The level of a request by its status; undefined for a number that is none. */
export function levelOfStatus(code: number): Level | undefined {
  if (!isStatus(code)) return undefined;
  return code >= 500 ? 'error' : code >= 400 ? 'warn' : 'info';
}

/** Takes the JSON object at the end of a message, as zap and Monolog write their fields; a list behind it is dropped where it is empty. */
export function takeTrailingObject(event: TextEvent): Record<string, unknown> | undefined {
  const message = String(event['message']);
  const text = message.trimEnd().replace(/[ \t]\[\]$/, '');
  if (!text.endsWith('}')) {
    if (text.length < message.trimEnd().length) event['message'] = text.replace(/ \[\]$/, '');
    return undefined;
  }
  // The last one that stands by itself: from each place where one can begin, the first first.
  const begin = /(?:^|[ \t])\{"/g;
  for (let tries = 0; tries < 5; tries++) {
    const start = begin.exec(text);
    if (start === null) return undefined;
    try {
      const object = JSON.parse(text.slice(begin.lastIndex - 2)) as Record<string, unknown>;
      event['message'] = text.slice(0, start.index).trimEnd();
      return object;
    } catch {
      // It begins within another.
    }
  }
  return undefined;
}

/** Adds members that the event does not have. */
export function addMembers(event: TextEvent, members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members))
    if (!Object.hasOwn(event, name)) setField(event, [name], value);
}

/** Makes the lines below the first the message: the first is a header. */
export function useLinesBelow(event: TextEvent, text: string): void {
  const newline = text.indexOf('\n');
  if (newline === -1) return;
  const below = text
    .slice(newline + 1)
    .split('\n')
    .map((line) => line.trimStart())
    .join('\n')
    .trim();
  event['message'] = [event['message'], below].filter((part) => part !== '' && part !== undefined).join('\n');
}

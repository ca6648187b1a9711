import { attributeValues } from '@logloom/filter';
import { formatMicros, type Level, type PlacedEvent } from '@logloom/schemas';

/** What a summary needs of an event. */
export type SummaryEvent = Omit<PlacedEvent, 'source' | 'receivedAt'> & {
  /** Milliseconds since 1970. */
  receivedAt?: number;
};

/** A line of a request, for people. */
export interface SummaryLine {
  id: string;
  timestamp: string;
  level: Level;
  service: string;
  message: string;
}

const maxMessage = 500;
const maxName = 100;
/** Of a text that becomes a name. */
const maxRead = 1000;
/** A shorter text may be a word. */
const minId = 8;

export function lineOf({ id, timestamp, level, service, message }: SummaryEvent): SummaryLine {
  return {
    id,
    timestamp: formatMicros(timestamp),
    level,
    service,
    message: shorten(message, maxMessage),
  };
}

export function isError({ level }: Pick<SummaryEvent, 'level'>): boolean {
  return level === 'error' || level === 'fatal';
}

/** Which events have one clock: those of a host, or of a service that names none. */
export function clockOf({ host, service }: Pick<SummaryEvent, 'host' | 'service'>): string {
  return host ?? service;
}

/** The first text under one of these paths of the attributes. */
export function textAttribute(attributes: string, names: readonly string[]): string | undefined {
  const values = attributeValues(attributes);
  for (const name of names) {
    const value = values.get(name)?.[0];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** The names under which tracers write what a span does. */
const operationNames = ['spanName', 'span.name', 'span_name', 'operation', 'operationName'];

/** What a step of the request is: the span's own name, else the first line of the event with which it begins. */
export function nameOf(event: Omit<SummaryEvent, 'partition' | 'offset'>): string {
  const { attributes, message } = event;
  const named = /name|operation/i.test(attributes) ? textAttribute(attributes, operationNames) : undefined;
  const [first = ''] = (named ?? withoutHeader(message)).slice(0, maxRead).split('\n', 1);
  return shorten(withoutIds(first, event).trim(), maxName);
}

const idLabel = /\b(?:trace|span|request|correlation|session)[-_. ]?id\s*[:=]\s*(?=\s|$|[\])},;])/gi;

/** A text without the ids of its own event, which say nothing in a summary of the request. */
function withoutIds(
  text: string,
  { traceId, spanId, correlationId }: Pick<SummaryEvent, 'traceId' | 'spanId' | 'correlationId'>,
): string {
  let rest = text;
  for (const id of [traceId, spanId, correlationId])
    if (id !== null && id.length >= minId) rest = rest.replaceAll(id, '');
  return rest === text ? text : rest.replaceAll(idLabel, '').replaceAll(/ {2,}/g, ' ');
}

/** The header of a line of a log that was taken as it is. */
const header = /^[\d\s:.,TZ+/-]*\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|SEVERE|CRITICAL)\b\s*/;

/** A message without the time and the level that its application has put in front. */
export function withoutHeader(message: string): string {
  return message.replace(header, '');
}

function shorten(text: string, most: number): string {
  return (text.length > most ? `${text.slice(0, most)}…` : text).toWellFormed();
}

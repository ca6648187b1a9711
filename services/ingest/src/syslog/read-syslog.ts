import type { LogEvent, Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { fieldNames, type SlotName } from '../event/field-names.ts';
import type { Normalizer } from '../event/normalize.ts';
import { parseSyslog, type SyslogMessage } from './parse-syslog.ts';
import { parseExactly } from '../event/read-event.ts';

/** RFC 5424, table 1. */
const facilities = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
];
/** RFC 5424, table 2. */
const severities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

const maxAheadMs = 86_400_000;
/** 1973, in microseconds: a smaller number would be read as milliseconds, and no such time is true. */
const minMicros = 1e14;
/** Fields that a name has, wherever it stands in a message. */
const idSlots = ['correlationId', 'requestId', 'traceId', 'sessionId', 'spanId'] as const;
const idNames = new Set([...idSlots.flatMap((slot) => fieldNames[slot]), 'traceparent']);

type Fields = Record<string, unknown>;

/**
 * Reads one syslog message, without its framing. What is not syslog becomes an event with the text as its message, as a syslog server
 * has it. `peer` stands in for a missing host. JSON in the message, with the cookie `@cee:` or alone, gives its fields to the event.
 */
export function readSyslog(
  bytes: Buffer,
  source: Source,
  receivedAt: number,
  normalizer: Normalizer,
  peer?: string,
): LogEvent {
  const isText = isUtf8(bytes);
  // Old devices send ISO 8859-1 or its relatives: each byte keeps a character of its own.
  const text = bytes.toString(isText ? 'utf8' : 'latin1', 0, contentEnd(bytes));
  const parsed = parseSyslog(text, receivedAt);
  const header = headerFields(parsed, receivedAt, isText, peer);
  const embedded = embeddedObject(parsed.message);
  if (embedded !== undefined) {
    const merged = mergedEvent(header, embedded, source, receivedAt, normalizer);
    if (merged !== undefined) return merged;
  }
  const event = normalizer.normalize({ ...header, message: parsed.message }, source, receivedAt);
  if ('ok' in event) return event.ok;
  // A name or an id that is too long, say: then the text speaks for itself.
  const plain = normalizer.normalize({ message: text, severity: header['severity'] }, source, receivedAt);
  if ('ok' in plain) return plain.ok;
  throw new Error(`a text was refused as ${plain.code}`);
}

/** Where the text ends: rsyslog and syslog-ng count the newline in that they put behind it. */
function contentEnd(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d || bytes[end - 1] === 0x00)) end--;
  return end;
}

/** The header's fields under names of field-names.ts, and `syslog`, which becomes an attribute. */
function headerFields(
  { facility, severity, micros, time, host, app, procid, msgid, data, sequence }: SyslogMessage,
  receivedAt: number,
  isText: boolean,
  peer: string | undefined,
): Fields {
  const isInRange = micros !== undefined && micros >= minMicros && micros <= (receivedAt + maxAheadMs) * 1000;
  const syslog: Fields = { facility: facilities[facility], severity: severities[severity] };
  // A device whose clock is wrong is heard all the same: the time of receipt counts, its own is kept.
  if (time !== undefined && !isInRange) syslog['timestamp'] = time;
  if (procid !== undefined) syslog['procid'] = procid;
  if (msgid !== undefined) syslog['msgid'] = msgid;
  if (sequence !== undefined) syslog['sequence'] = sequence;
  if (data !== undefined) syslog['structuredData'] = data;
  if (!isText) syslog['encoding'] = 'iso-8859-1';
  const fields: Fields = { severity: severities[severity] };
  if (isInRange) fields['timestamp'] = micros;
  if (app !== undefined) fields['service'] = app;
  const from = host ?? peer;
  if (from !== undefined) fields['host'] = from;
  for (const [name, id] of idsIn(data)) if (!(name in fields)) fields[name] = id;
  fields['syslog'] = syslog;
  return fields;
}

function* idsIn(data: SyslogMessage['data']): Generator<[name: string, id: string]> {
  for (const element of Object.values(data ?? {}))
    for (const [name, value] of Object.entries(element))
      if (idNames.has(name) && typeof value === 'string') yield [name, value];
}

/** The object in `@cee: {…}` (CEE, as rsyslog writes and reads it), or in a message that is nothing but an object. */
function embeddedObject(message: string): string | undefined {
  const start = /^\s*(?:@cee:\s*)?(?=\{)/.exec(message);
  return start === null || !message.trimEnd().endsWith('}') ? undefined : message.slice(start[0].length);
}

/**
 * The event of an object in a message. The application knows better than the transport: where the object has a field of ours, it
 * wins, and what the header said stays under `syslog`. Undefined when that gives no event: then the text is the message.
 */
function mergedEvent(
  header: Fields,
  text: string,
  source: Source,
  receivedAt: number,
  normalizer: Normalizer,
): LogEvent | undefined {
  let object: unknown;
  try {
    object = parseExactly(text);
  } catch {
    return undefined;
  }
  const given = object as Fields;
  if ('syslog' in given || Object.keys(given).length === 0) return undefined;
  const { syslog, ...fields } = header;
  const kept: Fields = { ...(syslog as Fields) };
  const own: Fields = {};
  for (const [name, value] of Object.entries(fields)) {
    const slot = slotOf(name);
    if (slot === undefined || !hasField(given, slot)) own[name] = value;
    else if (name === 'service') kept['appname'] = value;
    else if (name === 'host') kept['hostname'] = value;
    else if (name === 'timestamp') kept['timestamp'] = new Date((value as number) / 1000).toISOString();
  }
  // JSON.parse makes __proto__ an own member; a spread keeps it one.
  const event = normalizer.normalize({ ...own, ...given, syslog: kept }, source, receivedAt);
  return 'ok' in event ? event.ok : undefined;
}

function slotOf(name: string): SlotName | undefined {
  if (name === 'severity') return 'level';
  return (['timestamp', 'service', 'host'] as const).find((slot) => slot === name);
}

function hasField(object: Fields, slot: SlotName): boolean {
  return fieldNames[slot].some((name) => {
    // `name` is the application's in bunyan's events only, which the normaliser tells apart.
    if (name === 'name' && !('v' in object && 'pid' in object)) return false;
    const dot = name.indexOf('.');
    const value = Object.hasOwn(object, name)
      ? object[name]
      : dot > 0
        ? (object[name.slice(0, dot)] as Fields | null | undefined)?.[name.slice(dot + 1)]
        : undefined;
    return value !== undefined && value !== null && value !== '' && (dot > 0 || typeof value !== 'object');
  });
}

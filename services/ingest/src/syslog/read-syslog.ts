import type { LogEvent, Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { fieldNames, type SlotName } from '../event/field-names.ts';
import type { Normalizer } from '../event/normalize.ts';
import { parseSyslog, type SyslogMessage } from './parse-syslog.ts';
import { parseExactly } from '../event/parse-json.ts';
import { minMicros, parseTimestamp, utc } from '../event/parse-timestamp.ts';
import { processZone } from '../text/time/time-zone.ts';
import { fortigateMessage } from './fortigate-message.ts';

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
/** The field of each name, wherever it stands in a message. */
const idSlots = ['correlationId', 'requestId', 'traceId', 'sessionId', 'spanId'] as const;
const idNames = new Set([...idSlots.flatMap((slot) => fieldNames[slot]), 'traceparent']);

type Fields = Record<string, unknown>;

/**
 * Reads one syslog message without its framing. A text that is not syslog becomes the message of an event, as in a syslog server. `peer`
 * replaces a missing host. The fields of JSON in the message, after the cookie `@cee:` or alone, become those of the event.
 */
export function readSyslog(
  bytes: Buffer,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
  peer?: string,
): LogEvent {
  const isText = isUtf8(bytes);
  // Old devices send ISO 8859-1 or its relatives: each byte becomes one character.
  const text = bytes.toString(isText ? 'utf8' : 'latin1', 0, contentEnd(bytes));
  // Without the setting, syslog has always been in the machine's own zone, as its senders are.
  const zone = normalizer.zone === utc ? processZone : normalizer.zone;
  const parsed = parseSyslog(text, receivedAtMs, zone);
  const header = headerFields(parsed, receivedAtMs, isText, peer);
  const embedded = embeddedObject(parsed.message);
  if (embedded !== undefined) {
    const merged = mergedEvent(header, embedded, source, receivedAtMs, normalizer);
    if (merged !== undefined) return merged;
  }
  const event = normalizer.normalize({ ...header, message: parsed.message }, source, receivedAtMs);
  if ('ok' in event) return event.ok;
  // For example a name or an id is too long: then the whole text is the message.
  const plain = normalizer.normalize({ message: text, severity: header['severity'] }, source, receivedAtMs);
  if ('ok' in plain) return plain.ok;
  throw new Error(`a text was refused as ${plain.code}`);
}

/** Returns the end of the text: rsyslog and syslog-ng append a newline and count it; some senders end a datagram like a line. */
export function contentEnd(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d || bytes[end - 1] === 0x00)) end--;
  return end;
}

/** Returns the header's fields under names of field-names.ts, and `syslog`, which becomes an attribute. */
function headerFields(
  { facility, severity, micros, time, host, app, procid, msgid, data, sequence }: SyslogMessage,
  receivedAtMs: number,
  isText: boolean,
  peer: string | undefined,
): Fields {
  const isInRange =
    micros !== undefined && micros >= minMicros && micros <= (receivedAtMs + maxAheadMs) * 1000;
  const syslog: Fields = { facility: facilities[facility], severity: severities[severity] };
  // Messages of a device whose clock is wrong are accepted with the time of receipt; the device's time stays an attribute.
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

/** Returns the object in `@cee: {…}` (CEE, as rsyslog writes and reads it), in a message that is nothing but an object, or of FortiGate. */
function embeddedObject(message: string): Fields | undefined {
  const start = /^\s*(?:@cee:\s*)?(?=\{)/.exec(message);
  if (start === null || !message.trimEnd().endsWith('}')) return fortigateMessage(message);
  try {
    const object = parseExactly(message.slice(start[0].length));
    return typeof object === 'object' && object !== null && !Array.isArray(object)
      ? (object as Fields)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the event of an object in a message. The application knows better than the transport: the object's fields win, and those of the
 * header stay under `syslog`. Undefined when that is not an event: then the text is the message.
 */
function mergedEvent(
  header: Fields,
  given: Fields,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
): LogEvent | undefined {
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
  const event = normalizer.normalize({ ...own, ...given, syslog: kept }, source, receivedAtMs);
  return 'ok' in event ? event.ok : undefined;
}

function slotOf(name: string): SlotName | undefined {
  if (name === 'severity') return 'level';
  return (['timestamp', 'service', 'host'] as const).find((slot) => slot === name);
}

function hasField(object: Fields, slot: SlotName): boolean {
  return fieldNames[slot].some((name) => {
    // Only in bunyan's events does `name` mean the application; the normalizer decides that.
    if (name === 'name' && !('v' in object && 'pid' in object)) return false;
    const dot = name.indexOf('.');
    const value = Object.hasOwn(object, name)
      ? object[name]
      : dot > 0
        ? (object[name.slice(0, dot)] as Fields | null | undefined)?.[name.slice(dot + 1)]
        : undefined;
    if (slot === 'timestamp') return parseTimestamp(value) >= minMicros;
    return value !== undefined && value !== null && value !== '' && (dot > 0 || typeof value !== 'object');
  });
}

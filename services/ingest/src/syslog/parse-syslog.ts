import { processZone, type TimeZone } from '../text/time/time-zone.ts';
import { leadingTime } from './syslog-time.ts';

/** The parts of a syslog message; undefined where the message lacks one. */
export interface SyslogMessage {
  facility: number;
  severity: number;
  /** The time in microseconds since 1970; undefined when the message has none that can be read. */
  micros: number | undefined;
  /** The time as it was written. */
  time: string | undefined;
  host: string | undefined;
  app: string | undefined;
  procid: string | undefined;
  msgid: string | undefined;
  /** Structured data: parameters by element. */
  data: Record<string, Record<string, string | string[]>> | undefined;
  /** The counter at the start of messages of Cisco's devices. */
  sequence: string | undefined;
  message: string;
}

/** RFC 3164: a message without a priority is user.notice. */
const defaultPriority = 13;

const priority = /^<(\d{1,3})>/;
const version1 = /^1 (\S+) (\S+) (\S+) (\S+) (\S+)(?: +|$)/;
const meraki = /^1 (\d{9,10}\.\d{1,9}) (\S+) /;
const ciscoHead =
  /^(?:: )?(?:(\d{1,10}): )?(?:([\w.:-]{1,255}): )?(?:(\d{1,10}): )?[*.]?(?=[A-Z][a-z]{2} [ \d]\d |\d{4} [A-Z][a-z]{2} |%[A-Z])/;
/** IOS XR: a node before the time, perhaps a host before the node. */
const ciscoNode =
  /^(?:(\d{1,10}): )?(?:([A-Za-z0-9_.-]{1,255}) )?(?:RP|LC|\d{1,3})\/[\w/]{1,30}:(?=[A-Z][a-z]{2} [ \d]\d |\d{4} [A-Z][a-z]{2} )/;
/** How long a device has been up stands where it has no clock. */
const uptime = /^(?:\d{1,4}:\d{2}:\d{2}|(?:\d{1,4}[ywdhms]){1,4})$/;
const forwarded = /^Message forwarded from ([A-Za-z0-9_.:-]{1,255}?): /;
const mnemonic = /^%([A-Z0-9_-]+?)-(?:[A-Z0-9_]+-)?[0-7]-[A-Z0-9_]+(?=:)/;
const hostToken = /^([A-Za-z0-9_.:-]{1,255}) /;
const tag = /^([\w./@+-][^\s:[\]]{0,127})(?:\[([^\]\s]{1,128})\]: ?|:(?: |$)|\[(\d{1,10})\] )/;

/**
 * Parses a message: RFC 5424, else RFC 3164 with its usual variations. Times without a zone are in `zone`. Returns something for every
 * text; never throws.
 */
export function parseSyslog(text: string, receivedAtMs: number, zone: TimeZone = processZone): SyslogMessage {
  const head = priority.exec(text);
  const pri = head === null ? -1 : Number(head[1]);
  const isKnown = pri >= 0 && pri <= 191;
  const parsed: SyslogMessage = {
    facility: (isKnown ? pri : defaultPriority) >> 3,
    severity: (isKnown ? pri : defaultPriority) & 7,
    ...nothing,
    message: text,
  };
  // A number that is not a priority may mean anything: the text stays whole.
  if (head !== null && !isKnown) return parsed;
  const body = head === null ? text : text.slice(head[0].length);
  if (head !== null && body.startsWith('1 ') && parseVersion1(body, parsed, receivedAtMs, zone))
    return parsed;
  parseClassic(body, head !== null, parsed, receivedAtMs, zone);
  return parsed;
}

const nothing = {
  micros: undefined,
  time: undefined,
  host: undefined,
  app: undefined,
  procid: undefined,
  msgid: undefined,
  data: undefined,
  sequence: undefined,
};

/**
 * Parses RFC 5424, section 6. Malformed structured data stays in the message. Returns false and changes nothing when the header is another
 * one.
 */
function parseVersion1(body: string, parsed: SyslogMessage, receivedAtMs: number, zone: TimeZone): boolean {
  const match = version1.exec(body);
  if (match === null) return parseMeraki(body, parsed);
  const [whole, time, host, app, procid, msgid] = match as unknown as [string, ...string[]];
  if (time !== '-') {
    const leading = leadingTime(time!, receivedAtMs, zone);
    if (leading?.length !== time!.length) return parseMeraki(body, parsed);
    parsed.time = time;
    if (!Number.isNaN(leading.micros)) parsed.micros = leading.micros;
  }
  parsed.host = notNil(host!);
  parsed.app = notNil(app!);
  parsed.procid = notNil(procid!);
  parsed.msgid = notNil(msgid!);
  const data = structuredData(body, whole.length);
  parsed.data = data?.elements;
  const message = body.slice(data?.end ?? whole.length);
  parsed.message = message.startsWith('\ufeff') ? message.slice(1) : message;
  return true;
}

/** Meraki's devices send version 1, then epoch seconds and a host, but nothing else of RFC 5424. */
function parseMeraki(body: string, parsed: SyslogMessage): boolean {
  const match = meraki.exec(body);
  if (match === null) return false;
  parsed.time = match[1];
  parsed.micros = Math.round(Number(match[1]) * 1e6);
  parsed.host = match[2];
  parsed.message = body.slice(match[0].length);
  return true;
}

function notNil(text: string): string | undefined {
  return text === '-' ? undefined : text;
}

/** Returns the structured data that begins at `start` and where the message after it begins; undefined when it is malformed. */
function structuredData(
  body: string,
  start: number,
): { elements: SyslogMessage['data']; end: number } | undefined {
  // Some senders leave out the data together with the message.
  if (start >= body.length) return { elements: undefined, end: body.length };
  if (body[start] === '-')
    return body.length === start + 1 || body[start + 1] === ' '
      ? { elements: undefined, end: Math.min(body.length, start + 2) }
      : undefined;
  const elements: NonNullable<SyslogMessage['data']> = {};
  let at = start;
  while (body[at] === '[') {
    const end = readElement(body, at + 1, elements);
    if (end === -1) return undefined;
    at = end;
  }
  if (at === start || (at < body.length && body[at] !== ' ')) return undefined;
  return { elements, end: Math.min(body.length, at + 1) };
}

const elementName = /[^\s=\]"]{1,128}/y;
const parameter = / +([^\s=\]"]{1,128})="((?:[^"\\\]]|\\[^])*)"/y;

function readElement(body: string, start: number, elements: NonNullable<SyslogMessage['data']>): number {
  elementName.lastIndex = start;
  const name = elementName.exec(body)?.[0];
  if (name === undefined) return -1;
  const parameters = Object.hasOwn(elements, name) ? elements[name]! : {};
  let at = start + name.length;
  for (;;) {
    parameter.lastIndex = at;
    const match = parameter.exec(body);
    if (match === null) break;
    at = parameter.lastIndex;
    addParameter(parameters, match[1]!, match[2]!.replace(/\\(["\\\]])/g, '$1'));
  }
  while (body[at] === ' ') at++;
  if (body[at] !== ']') return -1;
  define(elements, name, parameters);
  return at + 1;
}

/** A name may be repeated (RFC 5424, 6.3.3): all its values are kept. */
function addParameter(parameters: Record<string, string | string[]>, name: string, value: string): void {
  const before = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  define(parameters, name, before === undefined ? value : [...[before].flat(), value]);
}

/** Defines an own property, also with the name __proto__. */
function define<T>(object: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Parses RFC 3164 as it occurs in practice: each part may be missing, and Cisco's devices have an order of their own. */
function parseClassic(
  text: string,
  isMarked: boolean,
  parsed: SyslogMessage,
  receivedAtMs: number,
  zone: TimeZone,
): void {
  // Some put a space behind the priority.
  const body = isMarked && /^ +[A-Z\d]/.test(text) ? text.trimStart() : text;
  const node = ciscoNode.exec(body);
  const device = node ?? ciscoHead.exec(body);
  const behind = device === null ? body : body.slice(device[0].length);
  const time = leadingTime(behind, receivedAtMs, zone);
  if (time !== undefined) {
    parsed.time = behind.slice(0, time.length);
    if (!Number.isNaN(time.micros)) parsed.micros = time.micros;
  }
  const isDevice = device !== null && (time !== undefined || mnemonic.test(behind));
  if (isDevice) {
    parsed.sequence = node === null ? (device[3] ?? device[1]) : device[1];
    if (device[2] !== undefined && !uptime.test(device[2])) parsed.host = device[2];
  }
  if (time !== undefined) parsed.message = afterTime(behind.slice(time.length), parsed);
  else if (isDevice) parsed.message = takeTag(behind, parsed);
  // Without a priority and a time, nothing shows that this is syslog.
  else if (isMarked) parsed.message = takeTag(body, parsed);
}

/** Parses what follows the time: `: %ASA-…`, ` host : %ASA-…`, ` host tag: …`, ` tag: …` or ` …`. */
function afterTime(rest: string, parsed: SyslogMessage): string {
  // A name of an unknown time zone; the time stays an attribute as it was written.
  const text = rest.replace(/^ [A-Z]{2,5}(?=: )/, '');
  if (text.startsWith(':')) return takeTag(text.slice(1).trimStart(), parsed);
  const content = text.trimStart();
  const origin = forwarded.exec(content);
  if (origin !== null) {
    parsed.host ??= origin[1];
    return takeTag(content.slice(origin[0].length), parsed);
  }
  const host = content.startsWith('%') ? null : hostToken.exec(content);
  // `su: …` has no host before its tag.
  if (host === null || host[1]!.endsWith(':')) return takeTag(content, parsed);
  parsed.host ??= host[1];
  const behind = content.slice(host[0].length);
  return takeTag(behind.startsWith(': ') ? behind.slice(2) : behind, parsed);
}

/**
 * Removes the tag from the text. `%SYS-5-CONFIG_I: …` stays in it: its facility names the part of the device, the whole the kind of
 * message.
 */
function takeTag(text: string, parsed: SyslogMessage): string {
  const device = mnemonic.exec(text);
  if (device !== null) {
    parsed.app = device[1];
    parsed.msgid = device[0].slice(1);
    return text;
  }
  const match = tag.exec(text);
  if (match === null) return text;
  parsed.app = match[1];
  parsed.procid = match[2] ?? match[3];
  return text.slice(match[0].length);
}

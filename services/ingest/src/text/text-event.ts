import { formatMicros } from '@logloom/schemas';
import { fieldNames } from '../event/field-names.ts';
import { levelOfText } from '../event/parse-level.ts';
import { parseLogfmt } from './parse-logfmt.ts';
import { parseSyslog } from '../syslog/parse-syslog.ts';
import { parseTimestamp } from '../event/parse-timestamp.ts';
import { leadingTime, zonedMicros } from '../syslog/syslog-time.ts';

/** An event with the names of field-names.ts, as the normalizer takes it. */
export type TextEvent = Record<string, unknown>;

const maxAheadMs = 86_400_000;
const levels = 'TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|CRITICAL|SEVERE|AUDIT';

const openStack =
  /^(?:(?:\S*\/)?([\w-]+)\.log\S* )?(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}\.\d{1,6}) (\d+) ([A-Z]+) ([\w.]+) (?=\[|\S)/;
const access =
  /^(\S+) (\S+) (\S+) \[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{4})\] "(?:([A-Z]{3,10}) (\S+)(?: HTTP\/(\d(?:\.\d)?))?|[^"]*)" (\d{3}) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?/;
const nginxError = /^(\d{4})\/(\d{2})\/(\d{2}) (\d{2}:\d{2}:\d{2}) \[([a-z]+)\] (\d+)#\d+: /;
const apacheError =
  /^\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?) (\d{4})\] \[(?:(\w*):)?(\w+)\] (?:\[pid (\d+)(?::tid \d+)?\] )?/;
/** Matches what may stand between the time and the level: brackets, numbers, a dotted name, a name between dashes. */
const headerToLevel = new RegExp(
  String.raw`^[\s:|-]*((?:(?:\[[^\]]{0,100}\]|\([^)]{0,100}\)|\d+|[\w$]+(?:\.[\w$]+)+|[\w.$-]+(?= +[-|] ))[\s:|-]+){0,4})[[(]?(${levels}|trace|debug|info|warn|warning|error|fatal|critical)[\])]?(?=[\s:|-]|$)`,
);
/** Matches what may stand between the level and the message: a number, a thread, a logger. */
const headerAfterLevel =
  /^[\s:|-]*(?:(\d+) --- +)?(?:\[([^\]]{1,100})\] +)?(?:([\w$][\w$.-]*(?:\.[\w$-]+)+|[\w$-]+(?=\s*(?: - |: )))(?::\d+)?(?:\s+[-:] |: |\s+- ))?/;
const pythonDefault = /^(DEBUG|INFO|WARNING|ERROR|CRITICAL):([\w.-]+):/;
const klog = /^([IWEF])(\d{2})(\d{2}) (\d{2}:\d{2}:\d{2}\.\d{6}) +(\d+) ([\w.-]+:\d+)\] /;
const levelFirst = new RegExp(String.raw`^\[?(${levels})\]?(?=[\s:])`);
const monthNames = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/**
 * Returns the event of a plain text of one or several lines: with time, level and service when its first line has a common layout
 * (docs/formats.md), else with the text as its message. A time without a zone is in the zone of this process. Never throws; nothing of the
 * text is lost.
 */
export function textEvent(text: string, receivedAtMs: number): TextEvent {
  for (const layout of layouts) {
    const event = layout(text, receivedAtMs);
    if (event !== undefined) return event;
  }
  const level = levelFirst.exec(text)?.[1];
  return level === undefined ? { message: text } : { level, message: text };
}

type Layout = (text: string, receivedAtMs: number) => TextEvent | undefined;

const layouts: readonly Layout[] = [
  (text, receivedAtMs) => {
    const match = openStack.exec(text);
    if (match === null) return undefined;
    const [whole, service, date, clock, pid, level, logger] = match;
    return found(receivedAtMs, zonedMicros(date!, clock!, undefined), {
      level,
      ...(service === undefined ? {} : { service }),
      message: text.slice(whole.length),
      process: { pid: Number(pid) },
      log: { logger },
    });
  },
  accessLog,
  (text, receivedAtMs) => {
    const match = nginxError.exec(text);
    if (match === null) return undefined;
    const [whole, year, month, day, clock, level, pid] = match;
    return found(receivedAtMs, zonedMicros(`${year}-${month}-${day}`, clock!, undefined), {
      level,
      service: 'nginx',
      message: text.slice(whole.length),
      process: { pid: Number(pid) },
    });
  },
  (text, receivedAtMs) => {
    const match = apacheError.exec(text);
    if (match === null) return undefined;
    const [whole, month, day, clock, year, module, level, pid] = match;
    return found(receivedAtMs, zonedMicros(`${year}-${monthNumber(month!)}-${day}`, clock!, undefined), {
      // Apache's trace1 to trace8.
      level: level!.replace(/^(trace)\d$/, '$1'),
      service: 'apache',
      message: text.slice(whole.length),
      ...(pid === undefined ? {} : { process: { pid: Number(pid) } }),
      ...(module === undefined || module === '' ? {} : { log: { logger: module } }),
    });
  },
  (text, receivedAtMs) => {
    const match = klog.exec(text);
    if (match === null) return undefined;
    const [whole, letter, month, day, clock, pid, place] = match;
    const year = new Date(receivedAtMs).getFullYear();
    const at = (inYear: number): number => zonedMicros(`${inYear}-${month}-${day}`, clock!, undefined);
    const micros = at(year) > (receivedAtMs + maxAheadMs) * 1000 ? at(year - 1) : at(year);
    return found(receivedAtMs, micros, {
      level: letter,
      message: text.slice(whole.length),
      process: { pid: Number(pid) },
      log: { origin: place },
    });
  },
  syslogLine,
  timedLine,
  (text) => {
    const match = pythonDefault.exec(text);
    return match === null
      ? undefined
      : { level: match[1], message: text.slice(match[0].length), log: { logger: match[2] } };
  },
  (text, receivedAtMs) => {
    const fields = parseLogfmt(text);
    return fields === undefined || hasWrongTime(fields, receivedAtMs) ? undefined : fields;
  },
];

/** Returns the event with its time; undefined when ingest would not accept the time: then the layout was guessed wrongly. */
function found(receivedAtMs: number, micros: number, event: TextEvent): TextEvent | undefined {
  const isTime = micros >= 0 && micros <= (receivedAtMs + maxAheadMs) * 1000;
  return isTime ? { timestamp: formatMicros(micros), ...event } : undefined;
}

function hasWrongTime(fields: TextEvent, receivedAtMs: number): boolean {
  const name = fieldNames.timestamp.find((each) => Object.hasOwn(fields, each));
  const micros = name === undefined || fields[name] === '' ? 0 : parseTimestamp(fields[name]);
  return !(micros >= 0 && micros <= (receivedAtMs + maxAheadMs) * 1000);
}

/** Reads NCSA common and combined. The line stays the message; the status sets the level: 5xx error, 4xx warn. */
function accessLog(text: string, receivedAtMs: number): TextEvent | undefined {
  const match = access.exec(text);
  if (match === null) return undefined;
  const [
    ,
    client,
    ,
    user,
    day,
    month,
    year,
    clock,
    zone,
    method,
    target,
    version,
    status,
    bytes,
    referrer,
    agent,
  ] = match;
  const level = status! >= '500' ? 'error' : status! >= '400' ? 'warn' : 'info';
  const request = { ...(method === undefined ? {} : { method }), ...given('referrer', referrer) };
  const response = {
    status_code: Number(status),
    ...(bytes === '-' ? {} : { body: { size: Number(bytes) } }),
  };
  return found(receivedAtMs, zonedMicros(`${year}-${monthNumber(month!)}-${day}`, clock!, zone), {
    level,
    message: text,
    client: { address: client },
    http: { request, response, ...(version === undefined ? {} : { version }) },
    ...(target === undefined ? {} : { url: { original: target } }),
    ...(user === '-' ? {} : { user: { name: user } }),
    ...(agent === undefined || agent === '-' ? {} : { user_agent: { original: agent } }),
  });
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined || value === '-' ? {} : { [name]: value };
}

/** Reads a line of a file of a syslog server: with a time, a host and a tag. */
function syslogLine(text: string, receivedAtMs: number): TextEvent | undefined {
  const parsed = parseSyslog(text, receivedAtMs);
  if (parsed.micros === undefined || parsed.app === undefined || parsed.host === undefined) return undefined;
  // In `2026-01-01 00:00:00 INFO main: …` there is no host and tag.
  if (levelOfText(parsed.host) !== undefined) return undefined;
  return found(receivedAtMs, parsed.micros, {
    service: parsed.app,
    host: parsed.host,
    message: parsed.message,
    ...(parsed.procid === undefined ? {} : { syslog: { procid: parsed.procid } }),
  });
}

/** Reads log4j, logback, Spring Boot, Python's logging and similar: a time, and a level soon after it. */
function timedLine(text: string, receivedAtMs: number): TextEvent | undefined {
  const bracket = text.startsWith('[') ? 1 : 0;
  const time = leadingTime(text.slice(bracket), receivedAtMs);
  if (time === undefined) return undefined;
  const rest = text.slice(bracket + time.length).replace(bracket === 1 ? /^\] ?/ : /^(?!)/, '');
  const head = headerToLevel.exec(rest);
  if (head === null)
    return found(receivedAtMs, time.micros, { message: rest.replace(/^[\s:|-]+/, '') || text });
  const after = headerAfterLevel.exec(rest.slice(head[0].length))!;
  const message = rest.slice(head[0].length + after[0].length);
  const logger =
    after[3] ?? /(?:^|\s)([A-Za-z_$][\w$.-]*)/.exec(head[1]!.replace(/\[[^\]]*\]|\([^)]*\)/g, ' '))?.[1];
  const thread = after[2] ?? /\[([^\]]+)\]/.exec(head[1]!)?.[1];
  const pid = after[1] ?? /(?:^|\s)(\d+)(?=\s|$)/.exec(head[1]!.replace(/\[[^\]]*\]|\([^)]*\)/g, ' '))?.[1];
  return found(receivedAtMs, time.micros, {
    level: head[2],
    message,
    ...(logger === undefined ? {} : { log: { logger } }),
    ...(thread === undefined ? {} : { thread: { name: thread } }),
    ...(pid === undefined ? {} : { process: { pid: Number(pid) } }),
  });
}

function monthNumber(name: string): string {
  return String(monthNames.indexOf(name) / 3 + 1).padStart(2, '0');
}

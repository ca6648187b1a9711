import { readLine, type SentLine } from './sent-line.ts';

/** The facility user, and the severities of RFC 5424. */
const facility = 1;
const severities: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};
/** RFC 5424, section 6. */
const mostNameBytes = 48;
const mostHostBytes = 255;

/** A message of RFC 5424 with its length before it (RFC 6587, section 3.4.1). The event's line is its text, behind CEE's cookie. */
export function syslogFrame(line: string): string {
  const { timestamp, service, level, host }: SentLine = readLine(line);
  const priority = facility * 8 + (severities[level] ?? 6);
  const header = `<${priority}>1 ${timestamp} ${printable(host, mostHostBytes)} ${printable(service, mostNameBytes)} - - -`;
  const message = `${header} @cee:${line}`;
  return `${Buffer.byteLength(message)} ${message}`;
}

/** A header's field is printable ASCII without spaces. */
function printable(text: string | undefined, mostBytes: number): string {
  return text?.replace(/[^!-~]/g, '_').slice(0, mostBytes) || '-';
}

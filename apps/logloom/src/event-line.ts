import { colors as pc } from './colors.ts';
import { markRanges, type Highlights } from './mark-ranges.ts';

/** A log event as the API gives it. */
export interface EventJson {
  id: string;
  timestamp: string;
  level: string;
  service: string;
  host?: string;
  message: string;
  correlationId?: string;
  attributes: Record<string, unknown>;
}

const paint: Record<string, (text: string) => string> = {
  trace: pc.dim,
  debug: pc.dim,
  info: pc.green,
  warn: pc.yellow,
  error: pc.red,
  fatal: (text) => pc.bold(pc.red(text)),
};

/**
 * A log event as one line for a terminal: time, level, service, message, and the attributes that a search matched. What it matched in
 * the message is underlined. Control characters are shown, not obeyed.
 */
export function eventLine(event: EventJson, highlights: Highlights = {}): string {
  const level = (paint[event.level] ?? String)(event.level.padEnd(5));
  const message = markRanges(event.message, highlights['message'] ?? [], found, printable);
  const attributes = Object.entries(highlights)
    .filter(([field]) => field.startsWith('attributes.'))
    .flatMap(([field, pieces]) => pieces.map(({ fragment }) => [field.slice('attributes.'.length), fragment]))
    .map(([path, value]) => `  ${pc.dim(`${printable(path!)}=`)}${found(value!)}`);
  return `${pc.dim(event.timestamp.slice(0, 23))} ${level} ${pc.cyan(printable(event.service))} ${message}${attributes.join('')}`;
}

function found(text: string): string {
  return pc.bold(pc.underline(printable(text)));
}

/** A correlation document as one line. */
export function correlationLine(c: {
  id: string;
  correlationId: string;
  lastAt: string;
  durationMs: number;
  eventCount: number;
  errorCount: number;
  services: string[];
}): string {
  const errors = c.errorCount > 0 ? pc.red(` ${c.errorCount} errors`) : '';
  const services = c.services.map(printable).join(' → ');
  return `${pc.dim(c.lastAt.slice(0, 23))} ${pc.bold(c.id)} ${printable(c.correlationId)} ${c.eventCount} events in ${c.durationMs} ms${errors}  ${pc.cyan(services)}`;
}

/** Log text is written by anybody: an escape sequence in it must not reach the terminal. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from './colors.ts';
import { markRanges, type Highlights } from './mark-ranges.ts';

/** A log event as the API returns it. */
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
 * A log event as one line for a terminal: time, level, service, message, and the attributes that a search matched. Matches in the message
 * are underlined. Control characters are escaped; further lines of the message are indented, so that none of them looks like an event.
 */
export function eventLine(event: EventJson, highlights: Highlights = {}): string {
  const level = (paint[event.level] ?? String)(event.level.padEnd(5));
  const message = markRanges(
    event.message,
    highlights['message'] ?? [],
    (part) => matched(part, lines),
    lines,
  );
  const attributes = Object.entries(highlights)
    .filter(([field]) => field.startsWith('attributes.'))
    .flatMap(([field, pieces]) => pieces.map(({ fragment }) => [field.slice('attributes.'.length), fragment]))
    .map(([path, value]) => `  ${pc.dim(`${escapeControls(path!)}=`)}${matched(value!, escapeControls)}`);
  return `${pc.dim(event.timestamp.slice(0, 23))} ${level} ${pc.cyan(escapeControls(event.service))} ${message}${attributes.join('')}`;
}

function matched(text: string, escape: (text: string) => string): string {
  return pc.bold(pc.underline(escape(text)));
}

function lines(text: string): string {
  return text
    .split(/\r?\n/)
    .map(escapeControls)
    .join(`\n${pc.dim('  │ ')}`);
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
  joinedInto?: string;
}): string {
  const head = `${pc.dim(c.lastAt.slice(0, 23))} ${pc.bold(c.id)} ${escapeControls(c.correlationId)}`;
  if (c.joinedInto !== undefined) return `${head} is part of ${escapeControls(c.joinedInto)}`;
  const errors = c.errorCount > 0 ? pc.red(` ${c.errorCount} errors`) : '';
  const services = c.services.map(escapeControls).join(' → ');
  return `${head} ${c.eventCount} events in ${c.durationMs} ms${errors}  ${pc.cyan(services)}`;
}

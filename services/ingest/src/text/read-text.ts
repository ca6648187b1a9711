import { levelOfText } from '../event/parse-level.ts';
import { knownLayouts, knownWrappers, LayoutTable } from './layouts/all-layouts.ts';
import type { Layout, TextEvent } from './layouts/layout.ts';
import { addMembers } from './layouts/refine.ts';
import { isCrash } from './lines/stack-traces.ts';
import { parseLogfmt } from './parse-logfmt.ts';
import { readHeader } from './read-header.ts';
import { readLogfmt } from './read-logfmt.ts';
import type { TimeContext } from './time/scan-parts.ts';

export type { TextEvent } from './layouts/layout.ts';

/** How a text is read. */
export interface TextContext extends TimeContext {
  /** The formats of FORMATS: they are tried first. */
  formats?: LayoutTable | undefined;
  /** The layouts that the file of the text has, by how many of its lines have them. */
  preferred?: readonly Layout[] | undefined;
}

/** An event, and what it was read by. */
export interface TextReading {
  event: TextEvent;
  /** A format's or layout's name; `header` for one that only looks like a header, `level` for a level in front, undefined for nothing. */
  layout: string | undefined;
  /** The service that usually writes the layout, where the text names none. */
  usualService?: string | undefined;
}

const table = new LayoutTable(knownLayouts);
const wrappers = new LayoutTable(knownWrappers);
const levelInFront = /^(?:\[([A-Za-z]{3,13})\](?=[\s:])|([A-Z]{3,13})(?=[\s:|-]|$)|([A-Za-z]{3,13}):(?= ))/;
/**
 * Returns the event of a plain text of one or several lines, with the names that JSON has: time, level, service and more when its first
 * line has a known layout (docs/formats.md), else with the text as its message. Times are RFC 3339. Never throws, takes a time in
 * proportion to the text's length, and loses nothing of it.
 */
export function readText(text: string, context: TextContext): TextEvent {
  const { event, usualService } = explainText(text, context);
  if (usualService !== undefined) event['service'] ??= usualService;
  return event;
}

/** As readText(), with the layout by which it was read. */
export function explainText(text: string, context: TextContext): TextReading {
  const plain = text.includes('\u001b') ? withoutColors(text) : text;
  return readPlain(plain, context, 0);
}

function readPlain(text: string, context: TextContext, depth: number): TextReading {
  for (const layout of context.formats?.of(text) ?? []) {
    const event = layout.read(text, context);
    if (event !== undefined) return reading(layout, event);
  }
  if (depth < 2)
    for (const wrapper of wrappers.of(text)) {
      const outer = wrapper.read(text, context);
      if (outer !== undefined) return unwrapped(outer, wrapper, context, depth);
    }
  for (const layout of context.preferred ?? []) {
    const event = layout.read(text, context);
    if (event !== undefined) return reading(layout, event);
  }
  for (const layout of table.of(text)) {
    const event = layout.read(text, context);
    if (event !== undefined) return reading(layout, event);
  }
  return readUnknown(text, context);
}

function reading({ name, service }: Layout, event: TextEvent): TextReading {
  return { event, layout: name, usualService: 'service' in event ? undefined : service };
}

/** The event of the line within a wrapping; the wrapping's fields are for what that lacks. */
function unwrapped(outer: TextEvent, wrapper: Layout, context: TextContext, depth: number): TextReading {
  const { message, ...around } = outer;
  const inner = readPlain(String(message), context, depth + 1);
  addMembers(inner.event, around);
  return { ...inner, layout: inner.layout ?? wrapper.name };
}

function readUnknown(text: string, context: TextContext): TextReading {
  const header = readHeader(text, context);
  if (header !== undefined) {
    // Pairs may stand behind the time.
    const { message, ...front } = header;
    const pairs = 'level' in header ? undefined : parseLogfmt(String(message));
    const fields = pairs === undefined ? undefined : readLogfmt(pairs, String(message), context);
    return { event: fields === undefined ? header : { ...front, ...fields }, layout: 'header' };
  }
  const pairs = parseLogfmt(text);
  const fields = pairs === undefined ? undefined : readLogfmt(pairs, text, context);
  if (fields !== undefined) return { event: fields, layout: 'logfmt' };
  const match = levelInFront.exec(text);
  const level = match?.[1] ?? match?.[2] ?? match?.[3];
  if (level !== undefined && levelOfText(level) !== undefined)
    return { event: { level, message: text }, layout: 'level' };
  if (isCrash(text)) return { event: { level: 'error', message: text }, layout: 'level' };
  return { event: { message: text }, layout: undefined };
}

// Select graphic rendition and its like, and the titles of windows.

const escapes = /\u001b(?:\[[0-9;:?]{0,32}[@-~]|\][^\u0007\u001b\n]{0,200}(?:\u0007|\u001b\\))/g;

/** The text without the escape sequences of terminals. */
export function withoutColors(text: string): string {
  return text.replace(escapes, '');
}

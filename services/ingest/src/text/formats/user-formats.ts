import { compilePattern, type Pattern } from '../pattern/compile-pattern.ts';
import { LayoutTable } from '../layouts/all-layouts.ts';
import { compileLayout, setField, type Layout, type TextEvent } from '../layouts/layout.ts';
import type { JoinOptions } from '../lines/event-joiner.ts';
import { localContext, type TimeContext } from '../time/scan-parts.ts';
import { timeZone } from '../time/time-zone.ts';
import type { FormatText } from './format-schema.ts';

/** The formats of a user's file. */
export interface UserFormats {
  layouts: readonly Layout[];
  table: LayoutTable;
  /** The event of a text that has one of the formats. */
  read: (text: string, context: TimeContext) => TextEvent | undefined;
  /** What they say of lines that belong together; undefined where they say nothing. */
  joinRule: JoinOptions['rule'];
}

/** A format that is ready to read. */
export interface UserFormat extends Layout {
  multiline: FormatText['multiline'];
  continuation: Pattern | undefined;
}

/** Compiles one format. Throws PatternError, and RangeError for a time's form or a zone that is not known. */
export function compileFormat(format: FormatText): UserFormat {
  const { name, description, pattern, time, timezone, service, levels, attributes, message } = format;
  const zone = timezone === undefined ? undefined : timeZone(timezone);
  if (timezone !== undefined && zone === undefined)
    throw new RangeError(`${timezone} is no time zone: write Europe/Berlin, +02:00, CET or UTC`);
  const layout = compileLayout({
    name,
    title: description ?? name,
    pattern,
    ...(time !== undefined && { time }),
    ...(levels !== undefined && { levels }),
    ...(service !== undefined && { service }),
    keepsLine: message === 'line',
    isOwn: true,
    examples: [],
  });
  const marks = format.detect === undefined ? undefined : [format.detect].flat();
  const own = Object.entries(attributes ?? {}).map(([key, value]) => [key.split('.'), value] as const);
  const read = (text: string, context: TimeContext): TextEvent | undefined => {
    if (marks !== undefined && !marks.some((mark) => text.includes(mark))) return undefined;
    const event = layout.read(text, zone === undefined ? context : { ...context, zone });
    if (event !== undefined) for (const [path, value] of own) setField(event, path, value);
    return event;
  };
  const continuation = format.continues === undefined ? undefined : compilePattern(format.continues);
  return { ...layout, read, multiline: format.multiline, continuation };
}

/** Puts formats together, the first one first. */
export function createUserFormats(formats: readonly UserFormat[]): UserFormats {
  const joining = formats.filter(
    ({ multiline, continuation }) => (multiline ?? 'traces') !== 'traces' || continuation !== undefined,
  );
  const table = new LayoutTable(formats);
  return {
    layouts: formats,
    table,
    read: (text, context) => {
      for (const { read, service } of table.of(text)) {
        const event = read(text, context);
        if (event === undefined) continue;
        if (service !== undefined) event['service'] ??= service;
        return event;
      }
      return undefined;
    },
    joinRule: joining.length === 0 ? undefined : createJoinRule(formats, joining),
  };
}

function createJoinRule(formats: readonly UserFormat[], joining: readonly UserFormat[]): JoinOptions['rule'] {
  const context = localContext(Date.now());
  const formatOf = (text: string): UserFormat | undefined =>
    formats.find((format) => format.read(text, context) !== undefined);
  // The first line of an event is asked about once for each of its lines.
  let last: { first: string; format: UserFormat | undefined } | undefined;
  return (first, text) => {
    if (first === undefined) return undefined;
    if (last?.first !== first) last = { first, format: formatOf(first) };
    const { format } = last;
    if (format === undefined || !joining.includes(format)) return undefined;
    if (format.continuation?.match(text, context) !== undefined) return 'continues';
    if (format.multiline === 'none') return 'begins';
    if (format.multiline !== 'begins') return undefined;
    return formatOf(text) === undefined ? 'continues' : 'begins';
  };
}

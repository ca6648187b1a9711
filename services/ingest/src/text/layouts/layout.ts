import { levelOfText } from '../../event/parse-level.ts';
import { formatMicros } from '@logloom/schemas';
import { compilePattern, type Match, type Pattern } from '../pattern/compile-pattern.ts';
import type { TimeContext } from '../time/scan-parts.ts';

/** An event with the names of field-names.ts, as the normalizer takes it. */
export type TextEvent = Record<string, unknown>;

/** How a program writes its lines: data, from which a reader is made. */
export interface LayoutSource {
  name: string;
  /** What writes it, in words. */
  title: string;
  /** One or several patterns; the first that a line has reads it. */
  pattern: string | readonly string[];
  /** The forms of %{TIME}; without any, every known one. */
  time?: string | readonly string[];
  /** The levels of words that mean nothing elsewhere. Other words must be known levels. */
  levels?: Readonly<Record<string, string>>;
  /** The service where the line names none: what always writes this layout. */
  service?: string;
  /** Whether the line stays the message, as in access logs. */
  keepsLine?: boolean;
  /** Whether a user made it: words that are no levels are then kept as they are. */
  isOwn?: boolean;
  /** Further reading of what the pattern read. False: the line has another layout. */
  refine?: (event: TextEvent, text: string) => boolean | void;
  /** A line of it, and some of what becomes of it. Times without a zone are UTC, those without a year of 2025. */
  examples: readonly (readonly [text: string, expected: TextEvent])[];
}

export interface Layout extends LayoutSource {
  /** The characters that a line can begin with; undefined: any. */
  firstCharacters: ReadonlySet<number> | undefined;
  /** Undefined when the text has another layout. */
  read: (text: string, context: TimeContext) => TextEvent | undefined;
}

/** Compiles a layout. Throws PatternError and RangeError. */
export function compileLayout(source: LayoutSource): Layout {
  const times = source.time === undefined ? [] : [source.time].flat();
  const patterns = [source.pattern].flat().map((pattern) => compilePattern(pattern, times));
  const readers = patterns.map((pattern) => createReader(pattern, source));
  const isKnown = patterns.every(({ firstCharacters }) => firstCharacters !== undefined);
  return {
    ...source,
    firstCharacters: isKnown
      ? new Set(patterns.flatMap(({ firstCharacters }) => [...firstCharacters!]))
      : undefined,
    read: (text, context) => {
      for (const read of readers) {
        const event = read(text, context);
        if (event !== undefined) return event;
      }
      return undefined;
    },
  };
}

type Reader = Layout['read'];

function createReader(pattern: Pattern, source: LayoutSource): Reader {
  const { levels, keepsLine, refine, isOwn } = source;
  const paths = pattern.names.map((name) => name.split('.'));
  const levelSlot = pattern.names.indexOf('level');
  const hasMessage = pattern.names.includes('message');
  return (text, context) => {
    const match = pattern.match(text, context);
    if (match === undefined || !isWhole(match, text, keepsLine === true)) return undefined;
    const event: TextEvent = {};
    if (!Number.isNaN(match.micros)) event['timestamp'] = formatMicros(match.micros);
    for (let i = 0; i < paths.length; i++) setField(event, paths[i]!, match.values[i]);
    if (levelSlot >= 0 && typeof event['level'] === 'string') {
      const level = levelOf(event['level'], levels);
      if (level === undefined && isOwn !== true) return undefined;
      event['level'] = level ?? event['level'];
    }
    if (keepsLine === true) event['message'] = text;
    else event['message'] ??= isOwn === true && !hasMessage ? text : '';
    if (refine?.(event, text) === false) return undefined;
    return event;
  };
}

/** A pattern that has no rest must read the whole first line. */
function isWhole({ end }: Match, text: string, keepsLine: boolean): boolean {
  if (keepsLine || end === text.length) return true;
  const newline = text.indexOf('\n');
  const lineEnd = newline === -1 ? text.length : newline;
  return end >= lineEnd || text.slice(end, lineEnd).trim() === '';
}

function levelOf(word: string, levels: LayoutSource['levels']): string | undefined {
  if (levels !== undefined && Object.hasOwn(levels, word)) return levels[word];
  return levelOfText(word.replace(/^([A-Za-z]+)[+-]?\d+$/, '$1')) === undefined ? undefined : word;
}

/** Sets a value under its nested name. `-` and nothing are no values. */
export function setField(event: TextEvent, path: readonly string[], given: unknown): void {
  const isMessage = path.length === 1 && path[0] === 'message';
  const value = typeof given === 'string' && !isMessage ? given.trim() : given;
  if (value === undefined || (!isMessage && (value === '-' || value === ''))) return;
  let object = event;
  for (let i = 0; i < path.length - 1; i++) {
    const inner = Object.hasOwn(object, path[i]!) ? object[path[i]!] : undefined;
    if (typeof inner === 'object' && inner !== null) object = inner as TextEvent;
    else object = object[path[i]!] = {};
  }
  Object.defineProperty(object, path.at(-1)!, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** The value under a nested name. */
export function fieldOf(event: TextEvent, name: string): unknown {
  let value: unknown = event;
  for (const key of name.split('.'))
    value = typeof value === 'object' && value !== null ? (value as TextEvent)[key] : undefined;
  return value;
}

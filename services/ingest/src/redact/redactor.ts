import type { LogEvent } from '@logloom/schemas';
import type { Settings } from '../settings.ts';
import { isUtf8 } from 'node:buffer';
import { parseExactly } from '../event/parse-json.ts';
import { detectors, redactText, type Detector } from './redact-text.ts';

export type RedactSettings = Pick<
  Settings,
  'INGEST_REDACT' | 'INGEST_REDACT_FIELDS' | 'INGEST_REDACT_PATTERNS'
>;

/** Returns undefined when nothing is to be redacted. `count` is called with the rule's name for each secret. */
export function createRedactor(
  settings: RedactSettings,
  count: (rule: string) => void,
): Redactor | undefined {
  const { INGEST_REDACT, INGEST_REDACT_FIELDS, INGEST_REDACT_PATTERNS } = settings;
  const own = INGEST_REDACT_PATTERNS.map((line) => {
    const end = line.indexOf('=');
    return { name: line.slice(0, end), pattern: new RegExp(line.slice(end + 1), 'gu') };
  });
  const builtIn = detectors.filter(({ name }) => INGEST_REDACT.includes(name));
  if (own.length + builtIn.length + INGEST_REDACT_FIELDS.length === 0) return undefined;
  return new Redactor([...own, ...builtIn], INGEST_REDACT_FIELDS, count);
}

/** Takes secrets out of events and dead letters before they are stored. `[redacted:<rule>]` stands in their place. */
export class Redactor {
  readonly #detectors: readonly Detector[];
  readonly #fields: readonly FieldMatcher[];
  /** Finds the values of the fields in bytes that are not JSON, as far as possible. */
  readonly #loose: Detector[];
  /** Finds them in texts, where a colon alone may belong to any sentence. */
  readonly #assigned: Detector[];
  readonly #count: (rule: string) => void;

  constructor(chosen: readonly Detector[], fields: readonly string[], count: (rule: string) => void) {
    this.#detectors = chosen;
    this.#fields = fields.map(fieldMatcher);
    this.#loose = fields.map((field) => ({
      name: 'field',
      pattern: new RegExp(
        `${looseSource(field.slice(field.lastIndexOf('.') + 1))}["']?[ \\t]{0,8}[:=][ \\t]{0,8}(?:"(?:[^"\\\\]|\\\\.)*"?|[^\\s,;&}\\]]+)`,
        'gisu',
      ),
    }));
    this.#assigned = fields.map((field) => ({
      name: 'field',
      pattern: assignmentOf(looseSource(field.slice(field.lastIndexOf('.') + 1))),
      within: (match, replacement) => {
        const [, head = '', open, value = '', close] =
          /^([^:=]*[:=]\s*)(\\?["']?)(.*?)(\\?["']?)$/s.exec(match) ?? [];
        return `${head}${open}${replacement(value)}${close}`;
      },
    }));
    this.#count = count;
  }

  /** An id that contains a secret is removed: the event then has no id. */
  event(event: LogEvent): LogEvent {
    const { correlationId, correlationKind, traceId, spanId, host } = event;
    const text = (path: string, value: string): string => this.#field(path) ?? this.#text(value);
    const id = (path: string, value: string | null): string | null =>
      value === null || text(path, value) === value ? value : null;
    const kept = id(correlationKind ?? '', correlationId);
    return {
      ...event,
      message: this.#field('message') ?? this.#content(event.message, '', maxNested),
      service: text('service', event.service),
      host: host === null ? null : text('host', host),
      correlationId: kept,
      correlationKind: kept === null ? null : correlationKind,
      traceId: id('traceId', traceId),
      spanId: id('spanId', spanId),
      attributes: this.#json(JSON.parse(event.attributes), ''),
    };
  }

  /** Redacts the reason of a rejection, which may quote the event. */
  reason(text: string): string {
    return this.#loosely(text);
  }

  /**
   * Returns a dead letter's bytes without secrets, or the same buffer when there are none. JSON is parsed. In other texts, matches of the
   * patterns and what looks like `field=value` are replaced. In binary formats, matches become as many `*`, so that lengths stay right.
   */
  payload(bytes: Buffer): Buffer {
    if (!isUtf8(bytes) || bytes.includes(0)) {
      const text = bytes.toString('latin1');
      const redacted = redactText(text, this.#detectors, (rule, match) => {
        this.#count(rule);
        return '*'.repeat(match.length);
      });
      return redacted === text ? bytes : Buffer.from(redacted, 'latin1');
    }
    const text = bytes.toString('utf8');
    let value: unknown;
    try {
      value = parseExactly(text);
    } catch {
      // It may be broken JSON: then the letter of an escape stands right before a secret, or escapes hide it.
      const plain = text.replace(/\\u00([2-7][\da-f])/gi, (escape, hex: string) =>
        hex === '22' || hex.toLowerCase() === '5c' ? escape : String.fromCharCode(parseInt(hex, 16)),
      );
      const redacted = this.#loosely(plain)
        .split(/(\\(?:["\\/bfnrt]|u[\da-f]{4}))/i)
        .map((part, i) => (i % 2 === 0 ? this.#text(part) : part))
        .join('');
      return redacted === plain ? bytes : Buffer.from(redacted);
    }
    const redacted = this.#json(value, '');
    return redacted === JSON.stringify(value) ? bytes : Buffer.from(redacted);
  }

  #field(path: string): string | undefined {
    if (!this.#fields.some((matches) => matches(path))) return undefined;
    this.#count('field');
    return '[redacted:field]';
  }

  #text(text: string): string {
    return redactText(text, this.#detectors, this.#mark);
  }

  #loosely(text: string): string {
    return this.#text(redactText(text, this.#loose, this.#mark));
  }

  /** Redacts a text that may itself be JSON, as when a structured body becomes a message; else fields may be assigned in it. */
  #content(text: string, path: string, nested: number): string {
    if (nested > 0 && isPerhapsJson(text)) {
      try {
        const value = parseExactly(text);
        const redacted = this.#json(value, path, nested - 1);
        return redacted === JSON.stringify(value) ? text : redacted;
      } catch {
        // Not JSON.
      }
    }
    return this.#text(redactText(text, this.#assigned, this.#mark));
  }

  readonly #mark = (rule: string): string => {
    this.#count(rule);
    return `[redacted:${rule}]`;
  };

  #json(value: unknown, path: string, nested = maxNested): string {
    if (typeof value === 'string') return JSON.stringify(this.#content(value, path, nested));
    if (typeof value === 'number') {
      const digits = JSON.stringify(value);
      const redacted = this.#text(digits);
      return redacted === digits ? digits : JSON.stringify(redacted);
    }
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map((item) => this.#json(item, path, nested)).join(',')}]`;
    return this.#object(value as Record<string, unknown>, path, nested);
  }

  #object(object: Record<string, unknown>, path: string, nested: number): string {
    const pair = nameOfPair(object);
    const names = new Set<string>();
    const members = Object.entries(object).map(([key, value]) => {
      const name = pair !== undefined && key.toLowerCase() === 'value' ? pair : key;
      const inner = path === '' ? name : `${path}.${name}`;
      let shown = this.#text(key);
      while (names.has(shown)) shown += '_';
      names.add(shown);
      const redacted = this.#field(inner);
      return `${JSON.stringify(shown)}:${redacted === undefined ? this.#json(value, inner, nested) : JSON.stringify(redacted)}`;
    });
    return `{${members.join(',')}}`;
  }
}

/** How deep JSON in strings of JSON is searched. */
const maxNested = 3;

function isPerhapsJson(text: string): boolean {
  const trimmed = text.trim();
  return (
    (trimmed.startsWith('{') && trimmed.endsWith('}')) || (trimmed.startsWith('[') && trimmed.endsWith(']'))
  );
}

/** Returns the name that `value` belongs to: OTLP writes an attribute as {"key":…,"value":…}, others a header or parameter with `name`. */
function nameOfPair(object: Readonly<Record<string, unknown>>): string | undefined {
  for (const key in object) {
    const value = object[key];
    if (typeof value === 'string' && /^(?:key|name)$/i.test(key)) return value;
  }
  return undefined;
}

/** Matches `name=value`, `"name": value`, and the latter with escaped quotes. */
function assignmentOf(name: string): RegExp {
  const escaped = '\\\\"[^"\\\\]*(?:\\\\")?';
  const quoted = `"(?:[^"\\\\]|\\\\.)*"?|'[^']*'?`;
  const value = `(?:${escaped}|${quoted}|[^\\s,;&}\\]"'\\\\]+)`;
  return new RegExp(`${name}(?:=|\\\\?["'][ \\t]{0,8}[:=][ \\t]{0,8})${value}`, 'gisu');
}

type FieldMatcher = (path: string) => boolean;

/** Matches a name at any depth, or the end of a path, in any case and in linear time. `*` stands for any text without a dot. */
function fieldMatcher(field: string): FieldMatcher {
  const globs = field
    .toLowerCase()
    .split('.')
    .map((name) => name.split('*'));
  return (path) => {
    const names = path.toLowerCase().split('.').slice(-globs.length);
    return names.length === globs.length && names.every((name, i) => matchesGlob(name, globs[i]!));
  };
}

/** `parts` are the texts between the stars. */
function matchesGlob(text: string, parts: readonly string[]): boolean {
  if (parts.length === 1) return text === parts[0];
  const last = parts.at(-1)!;
  let at = parts[0]!.length;
  if (!text.startsWith(parts[0]!)) return false;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length >= at + last.length && text.endsWith(last);
}

function looseSource(name: string): string {
  const source = name.replace(/[.+?^${}()|[\]\\/]/g, '\\$&').replace(/\*+/g, '[\\w-]{0,64}');
  return `(?<![\\w-])${source}`;
}

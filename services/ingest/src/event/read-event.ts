import type { LogEvent, Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { reject, RejectedError, type Rejection } from '../errors.ts';
import { jsonCost } from '../admission/json-cost.ts';
import type { GivenFields, Normalized, Normalizer } from './normalize.ts';
import type { RequestCost } from '../admission/request-cost.ts';

const maxReason = 300;

/**
 * Reads one event from its JSON text. Integers beyond 2^53 keep their digits, as text; halves of surrogate pairs become U+FFFD.
 * `givenOf` says what is known of the object beside its names. Never throws on any text.
 */
export function readEvent(
  text: string,
  source: Source,
  receivedAt: number,
  normalizer: Normalizer,
  givenOf?: (object: Readonly<Record<string, unknown>>) => GivenFields,
): LogEvent | Rejection {
  const wellFormed = text.includes('\\u') ? replaceLoneSurrogates(text) : text;
  const parsed = parseObject(wellFormed, JSON.parse);
  if ('code' in parsed) return parsed;
  const given = givenOf?.(parsed.object);
  const normalize = ({ object }: { object: Record<string, unknown> }): Normalized =>
    given === undefined
      ? normalizer.normalize(object, source, receivedAt)
      : normalizer.normalizeGiven(given, object, source, receivedAt);
  let result = normalize(parsed);
  if ('ok' in result && result.rounded) {
    const exact = parseObject(wellFormed, parseExactly);
    if ('code' in exact) return exact;
    result = normalize(exact);
  }
  return 'ok' in result ? result.ok : result;
}

/** What parseJson() gives for bytes. Throws RejectedError `bad-json`, `invalid-utf8`. */
export function parseJsonBytes(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new RejectedError(reject('invalid-utf8'));
  return parseJson(bytes.toString('utf8'));
}

/** Like parseJsonBytes(), once there is room for what it makes. Throws IngestError too, as `cost` does. */
export function parseCostly(bytes: Buffer, cost: RequestCost): unknown {
  cost.add(jsonCost(bytes));
  return parseJsonBytes(bytes);
}

/** Integers beyond 2^53 and numbers beyond them all begin like this; so do others, which parseExactly() leaves alone. */
const perhapsInexact = /[:[,\s-](?:\d{16}|\d{1,15}(?:\.\d*)?[eE]\+?\d{3})/;

/** A JSON text in which they keep their digits, as text. Throws RejectedError `bad-json`. */
export function parseJson(text: string): unknown {
  const wellFormed = text.includes('\\u') ? replaceLoneSurrogates(text) : text;
  try {
    return perhapsInexact.test(wellFormed) ? parseExactly(wellFormed) : JSON.parse(wellFormed);
  } catch (error) {
    throw new RejectedError(reject('bad-json', reasonOf(error)));
  }
}

/** A JSON object as parseJson() gives it; undefined for every other text. */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return (error as Error).message.slice(0, maxReason).toWellFormed();
}

function parseObject(
  text: string,
  parse: (text: string) => unknown,
): { object: Record<string, unknown> } | Rejection {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return reject('bad-json', reasonOf(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return reject('not-an-object');
  return { object: value as Record<string, unknown> };
}

/** JSON.parse, but an integer that a number cannot hold exactly, or a number beyond them all, is its digits as text. */
export function parseExactly(text: string): unknown {
  try {
    return JSON.parse(
      text,
      function (this: unknown, key: string, value: unknown, context?: { source?: string }) {
        const digits = context?.source;
        return typeof value === 'number' && digits !== undefined && isInexact(value, digits) ? digits : value;
      },
    );
  } catch (error) {
    // A reviver is called from the inside out, by recursion: JSON.parse alone needs no stack.
    if (!(error instanceof RangeError)) throw error;
    return JSON.parse(quoteInexact(text));
  }
}

function isInexact(value: number, digits: string): boolean {
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && (!Number.isFinite(value) || /^-?\d+$/.test(digits));
}

/** A JSON text with such numbers in quotes. */
function quoteInexact(text: string): string {
  let quoted = '';
  let copied = 0;
  for (let at = 0; at < text.length;) {
    if (text[at] === '"') at = endOfString(text, at);
    else {
      number.lastIndex = at;
      const digits = number.exec(text)?.[0];
      if (digits !== undefined && isInexact(Number(digits), digits)) {
        quoted += `${text.slice(copied, at)}"${digits}"`;
        copied = at + digits.length;
      }
      at += digits?.length ?? 1;
    }
  }
  return quoted + text.slice(copied);
}

const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

// Every escape is matched, so that the second half of an escaped backslash is never taken for the start of one.
const escapes =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;
const loneLength = '\\udc00'.length;

function replaceLoneSurrogates(text: string): string {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return text;
  return text.replace(escapes, (escape) => (escape.length === loneLength ? '\\ufffd' : escape));
}

import { isUtf8 } from 'node:buffer';
import { jsonCost } from '../admission/json-cost.ts';
import type { RequestCost } from '../admission/request-cost.ts';
import { RejectedError } from '../errors.ts';

const maxReasonLength = 300;

/** Like parseJson(), for bytes. Throws RejectedError `bad-json`, `invalid-utf8`. */
export function parseJsonBytes(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new RejectedError('invalid-utf8');
  return parseJson(bytes.toString('utf8'));
}

/** Like parseJsonBytes(), but counts the memory that it needs first. Throws what `cost` throws too. */
export function parseCostly(bytes: Buffer, cost: RequestCost): unknown {
  cost.add(jsonCost(bytes));
  return parseJsonBytes(bytes);
}

/** Matches the beginnings of all integers beyond 2^53 and all infinite numbers; also of others, which parseExactly() leaves alone. */
const perhapsInexact = /[:[,\s-](?:\d{16}|\d{1,15}(?:\.\d*)?[eE]\+?\d{3})/;

/** Parses JSON; such numbers become strings of their digits. Throws RejectedError `bad-json`. */
export function parseJson(text: string): unknown {
  const wellFormed = text.includes('\\u') ? replaceLoneSurrogates(text) : text;
  try {
    return perhapsInexact.test(wellFormed) ? parseExactly(wellFormed) : JSON.parse(wellFormed);
  } catch (error) {
    throw new RejectedError('bad-json', reasonOf(error));
  }
}

/** Like parseJson(), for an object. Returns undefined for every other text. */
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

/** Returns why JSON.parse failed, shortened. */
export function reasonOf(error: unknown): string {
  return (error as Error).message.slice(0, maxReasonLength).toWellFormed();
}

/** JSON.parse, but an integer that a number cannot hold exactly, and an infinite number, becomes a string of its digits. */
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
    // A reviver is called recursively and may run out of stack; JSON.parse without one does not.
    if (!(error instanceof RangeError)) throw error;
    return JSON.parse(quoteInexact(text));
  }
}

function isInexact(value: number, digits: string): boolean {
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && (!Number.isFinite(value) || /^-?\d+$/.test(digits));
}

/** Returns a JSON text with such numbers in quotes. */
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

// Matches every escape, so that the second half of an escaped backslash is never mistaken for the start of one.
const escapes =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;
const loneLength = '\\udc00'.length;

/** Returns the text with U+FFFD for each escape of half a surrogate pair. */
export function replaceLoneSurrogates(text: string): string {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return text;
  return text.replace(escapes, (escape) => (escape.length === loneLength ? '\\ufffd' : escape));
}

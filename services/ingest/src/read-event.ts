import type { LogEvent, Source } from '@logloom/schemas';
import { reject, type Rejection } from './errors.ts';
import type { Normalizer } from './normalize.ts';

const maxReason = 300;

/**
 * Reads one event from its JSON text. Integers beyond 2^53 keep their digits, as text; halves of surrogate pairs become U+FFFD.
 * Never throws on any text.
 */
export function readEvent(
  text: string,
  source: Source,
  receivedAt: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  const wellFormed = text.includes('\\u') ? replaceLoneSurrogates(text) : text;
  const parsed = parseObject(wellFormed, JSON.parse);
  if ('code' in parsed) return parsed;
  let result = normalizer.normalize(parsed.object, source, receivedAt);
  if ('ok' in result && result.rounded) {
    const exact = parseObject(wellFormed, parseExactly);
    if ('code' in exact) return exact;
    result = normalizer.normalize(exact.object, source, receivedAt);
  }
  return 'ok' in result ? result.ok : result;
}

function parseObject(
  text: string,
  parse: (text: string) => unknown,
): { object: Record<string, unknown> } | Rejection {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return reject('bad-json', (error as Error).message.slice(0, maxReason).toWellFormed());
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return reject('not-an-object');
  return { object: value as Record<string, unknown> };
}

/** JSON.parse, but an integer that a number cannot hold exactly, or a number beyond them all, is its digits as text. */
export function parseExactly(text: string): unknown {
  return JSON.parse(
    text,
    function (this: unknown, key: string, value: unknown, context?: { source?: string }) {
      const digits = context?.source;
      if (typeof value === 'number' && digits !== undefined && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
        if (!Number.isFinite(value) || /^-?\d+$/.test(digits)) return digits;
      }
      return value;
    },
  );
}

// Every escape is matched, so that the second half of an escaped backslash is never taken for the start of one.
const escapes =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;
const loneLength = '\\udc00'.length;

function replaceLoneSurrogates(text: string): string {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return text;
  return text.replace(escapes, (escape) => (escape.length === loneLength ? '\\ufffd' : escape));
}

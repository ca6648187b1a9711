import type { LogEvent, Source } from '@logloom/schemas';
import { reject, type Rejection } from '../errors.ts';
import type { GivenFields, Normalized, Normalizer } from './normalize.ts';
import { parseExactly, reasonOf, replaceLoneSurrogates } from './parse-json.ts';

/**
 * Reads one event from its JSON text. Integers beyond 2^53 become strings of their digits; halves of surrogate pairs become U+FFFD.
 * `givenOf` returns the fields that the format of the object has by itself. Never throws, whatever the text.
 */
export function readEvent(
  text: string,
  source: Source,
  receivedAtMs: number,
  normalizer: Normalizer,
  givenOf?: (object: Readonly<Record<string, unknown>>) => GivenFields,
): LogEvent | Rejection {
  const wellFormed = text.includes('\\u') ? replaceLoneSurrogates(text) : text;
  const parsed = parseObject(wellFormed, JSON.parse);
  if ('code' in parsed) return parsed;
  const given = givenOf?.(parsed.object);
  const normalize = ({ object }: { object: Record<string, unknown> }): Normalized =>
    given === undefined
      ? normalizer.normalize(object, source, receivedAtMs)
      : normalizer.normalizeGiven(given, object, source, receivedAtMs);
  let result = normalize(parsed);
  if ('ok' in result && result.rounded) {
    const exact = parseObject(wellFormed, parseExactly);
    if ('code' in exact) return exact;
    result = normalize(exact);
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
    return reject('bad-json', reasonOf(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return reject('not-an-object');
  return { object: value as Record<string, unknown> };
}

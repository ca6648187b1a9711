import { fieldNames } from './field-names.ts';
import { parseTimestamp } from './parse-timestamp.ts';

/**
 * The time that an event says it happened at, in microseconds since 1970: of the first name of the field that is there, as normalize()
 * reads it. NaN if the text is no JSON object, or has no time that can be read.
 */
export function eventTimeOf(text: string): number {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return Number.NaN;
  }
  if (typeof value !== 'object' || value === null) return Number.NaN;
  const object = value as Record<string, unknown>;
  const name = fieldNames.timestamp.find((each) => object[each] !== undefined && object[each] !== null);
  return name === undefined ? Number.NaN : parseTimestamp(object[name]);
}

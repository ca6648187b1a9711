import { RejectedError } from '../errors.ts';

/** The deepest nesting of an event, its own object included. */
export const maxDepth = 64;

/** What jsonText() noticed in the values. */
export interface JsonFindings {
  /** A value was nested deeper than maxDepth and is missing from the text. */
  tooDeep: boolean;
  /** A number was beyond 2^53: JSON.parse may have rounded it. */
  rounded: boolean;
}

/**
 * Returns a parsed JSON value as JSON text. `depth` is the number of objects and arrays around it. Unlike JSON.stringify it never runs
 * out of stack, and it reports numbers that may have been rounded.
 */
export function jsonText(value: unknown, depth: number, findings: JsonFindings): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) findings.rounded = true;
    // JSON has no such numbers; protobuf's JSON writes them as strings too.
    if (!Number.isFinite(value)) return `"${value}"`;
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth >= maxDepth) {
    findings.tooDeep = true;
    return 'null';
  }
  return Array.isArray(value) ? arrayText(value, depth, findings) : objectText(value, depth, findings);
}

function arrayText(array: readonly unknown[], depth: number, findings: JsonFindings): string {
  let text = '[';
  for (let i = 0; i < array.length; i++) {
    if (i > 0) text += ',';
    text += jsonText(array[i], depth + 1, findings);
  }
  return `${text}]`;
}

function objectText(object: object, depth: number, findings: JsonFindings): string {
  let text = '';
  for (const [name, value] of Object.entries(object)) {
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${jsonText(value, depth + 1, findings)}`;
  }
  return `{${text}}`;
}

/** A text as it is, any other parsed JSON value as JSON text. Throws RejectedError `too-deep`. */
export function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  const findings: JsonFindings = { tooDeep: false, rounded: false };
  const text = jsonText(value, 1, findings);
  if (findings.tooDeep) throw new RejectedError('too-deep');
  return text;
}

import { RE2JS } from 're2js';
import { ApiError } from '../errors.ts';

export type Labels = Readonly<Record<string, string>>;

/** A condition on an alert's labels. A label that the alert lacks counts as empty. */
export interface Matcher {
  label: string;
  operator: '=' | '!=' | '=~' | '!~';
  value: string;
  matches: (labels: Labels) => boolean;
}

const maxLength = 1024;

/**
 * Reads `service=payment`, `severity!="low"`, `team=~"shop|pay.*"` or `host!~"test-.+"`. A regular expression has RE2's syntax, takes
 * linear time, and has to match the whole value. Throws ApiError `bad-parameter`.
 */
export function parseMatcher(text: string): Matcher {
  const [, label, operator, given] = /^\s*([A-Za-z_][\w.-]*)\s*(=~|!~|!=|=)\s*(.*?)\s*$/s.exec(text) ?? [];
  if (label === undefined || operator === undefined || given === undefined || text.length > maxLength)
    throw bad(
      `${quoted(text)} is not a matcher: a label, one of = != =~ !~, and a value, such as service=payment`,
    );
  const value = unquoted(given);
  const test = testOf(operator as Matcher['operator'], value);
  return {
    label,
    operator: operator as Matcher['operator'],
    value,
    matches: (labels) => test(labels[label] ?? ''),
  };
}

/** The matcher as text that parseMatcher() reads. */
export function matcherText({ label, operator, value }: Matcher): string {
  return `${label}${operator}${/^[\w.*|:/@+-]*$/.test(value) ? value : JSON.stringify(value)}`;
}

function testOf(operator: Matcher['operator'], value: string): (actual: string) => boolean {
  if (operator === '=') return (actual) => actual === value;
  if (operator === '!=') return (actual) => actual !== value;
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(value);
  } catch (error) {
    throw bad(`${quoted(value)} is not a regular expression of RE2: ${(error as Error).message}`);
  }
  return operator === '=~' ? (actual) => pattern.matches(actual) : (actual) => !pattern.matches(actual);
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    const text: unknown = JSON.parse(value);
    if (typeof text === 'string') return text;
  } catch {
    // Said below.
  }
  throw bad(`${quoted(value)} is not a text in quotation marks`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function bad(message: string): ApiError {
  return new ApiError('bad-parameter', message, { parameter: 'matchers' });
}

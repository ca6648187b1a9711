import { RE2JS } from 're2js';

/** A condition on one label, as Alertmanager has it. An alert without the label has the empty text. */
export interface Matcher {
  label: string;
  operator: '=' | '!=' | '=~' | '!~';
  value: string;
  matches: (value: string) => boolean;
}

const form = /^\s*([A-Za-z_][\w.:-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^"'\s]\S*)|)\s*$/;

/**
 * Reads a matcher such as `severity="high"` or `service=~"pay.*"`; regular expressions (RE2, as Alertmanager's) match the whole value. Throws Error with what is
 * wrong.
 */
export function parseMatcher(text: string): Matcher {
  const [, label, operator, double, single, bare] = form.exec(text) ?? [];
  if (label === undefined)
    throw new Error(
      'a matcher is a label, one of = != =~ !~, and a value in quotes, such as severity="high"',
    );
  const value = double?.replaceAll(/\\(["\\])/g, '$1') ?? single ?? bare ?? '';
  return matcher(label, operator as Matcher['operator'], value);
}

/** Throws Error where the value is no regular expression. */
export function matcher(label: string, operator: Matcher['operator'], value: string): Matcher {
  const made = { label, operator, value };
  if (operator === '=') return { ...made, matches: (given) => given === value };
  if (operator === '!=') return { ...made, matches: (given) => given !== value };
  // Labels hold what senders chose: RE2 takes linear time, whatever the pattern is.
  const pattern = RE2JS.compile(value, RE2JS.DOTALL);
  return { ...made, matches: (given) => pattern.matches(given) === (operator === '=~') };
}

/** Whether labels pass all of the matchers. */
export function matchesAll(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every(({ label, matches }) => matches(labels[label] ?? ''));
}

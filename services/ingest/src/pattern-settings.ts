import { InvalidValue } from '@logloom/settings';
import { unboundedIn } from './event/bounded-pattern.ts';
import { stepsOf } from './event/pattern-steps.ts';

/** Each costs every event without an id a look at its message. */
const maxIdPatterns = 20;

/** Of all patterns at one place of a text: a message of 16,384 characters takes less than 50 ms, whatever it is. */
const maxIdSteps = 2000;
/** The same for all texts of an event of 1 MiB. */
const maxRedactSteps = 100;

/** INGEST_ID_PATTERNS: regular expressions, one a line. Throws InvalidValue for what is none, or may be slow. */
export function readIdPatterns(text: string): string[] {
  const patterns = text.split('\n').filter((line) => line !== '');
  const problems = patterns.length > maxIdPatterns ? [`has more than ${maxIdPatterns} patterns`] : [];
  for (const pattern of patterns) {
    const reason = isPattern(pattern) ? unboundedIn(pattern) : 'is not a regular expression';
    if (reason !== undefined) problems.push(`${pattern} ${reason}`);
  }
  if (problems.length === 0) problems.push(...tooManySteps(patterns, maxIdSteps));
  if (problems.length > 0) throw new InvalidValue(...problems);
  return patterns;
}

/** INGEST_REDACT_PATTERNS: lines of name=regular expression. Throws InvalidValue for what is none, or may be slow. */
export function readRedactPatterns(text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const problems = lines.flatMap((line) => {
    const [, name = '', pattern = ''] = /^([a-z][a-z0-9-]{0,31})=(.+)$/s.exec(line) ?? [];
    if (name === '' || !isPattern(pattern)) return [`${line} is not name=regular expression`];
    const reason = unboundedIn(pattern);
    return reason === undefined ? [] : [`${name} ${reason}`];
  });
  const patterns = lines.map((line) => line.slice(line.indexOf('=') + 1));
  if (problems.length === 0) problems.push(...tooManySteps(patterns, maxRedactSteps));
  if (problems.length > 0) throw new InvalidValue(...problems);
  return lines;
}

/** Other senders wait while a text is searched: all patterns together have a bound. */
function tooManySteps(patterns: readonly string[], most: number): string[] {
  const steps = patterns.map(stepsOf);
  const all = steps.reduce((sum, each) => sum + each, 0);
  if (all <= most) return [];
  const slowest = patterns[steps.indexOf(Math.max(...steps))];
  return [
    `takes ${all} steps at each place of a text, more than ${most}; lower the bounds of repetitions that something follows, above all in ${slowest}`,
  ];
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

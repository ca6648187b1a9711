import { InvalidValue } from '@logloom/settings';
import { unboundedIn } from './event/bounded-pattern.ts';

/** Each costs every event without an id a look at its message. */
const maxIdPatterns = 20;

/** INGEST_ID_PATTERNS: regular expressions, one a line. Throws InvalidValue for what is none, or may be slow. */
export function readIdPatterns(text: string): string[] {
  const patterns = text.split('\n').filter((line) => line !== '');
  const problems = patterns.length > maxIdPatterns ? [`has more than ${maxIdPatterns} patterns`] : [];
  for (const pattern of patterns) {
    const reason = isPattern(pattern) ? unboundedIn(pattern) : 'is not a regular expression';
    if (reason !== undefined) problems.push(`${pattern} ${reason}`);
  }
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
  if (problems.length > 0) throw new InvalidValue(...problems);
  return lines;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

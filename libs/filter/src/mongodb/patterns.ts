import { globParts } from '../glob.ts';

/** A regular expression (PCRE) that matches the texts that the glob matches, from end to end. Needs the option `s`. */
export function textPattern(glob: string): string {
  return `^${globPattern(glob, '.')}\\z`;
}

/** The same for words that follow each other, in a text with a space before, between and after all words. */
export function wordsPattern(globs: readonly string[]): string {
  return ` ${globs.map((glob) => globPattern(glob, '[^ ]')).join(' ')} `;
}

/**
 * Each run between two stars is matched at its first occurrence, and an atomic group keeps it there. The leftmost position is always good
 * enough; filters come from outside, and `*a*a*a*b` must not make the server try every combination.
 */
function globPattern(glob: string, anyCharacter: string): string {
  const runs = [''];
  for (const part of globParts(glob)) {
    if (part.type === 'any') runs.push('');
    else runs[runs.length - 1] += part.type === 'one' ? anyCharacter : escapePattern(part.text);
  }
  const first = runs.shift()!;
  const last = runs.pop();
  if (last === undefined) return first;
  const middle = runs.map((run) => `(?>${anyCharacter}*?${run})`);
  return `${first}${middle.join('')}${anyCharacter}*${last}`;
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/#-]/g, '\\$&');
}

import { globMatcher, globParts, literalOf } from '../glob.ts';

/** Tests whether words that follow each other in `words` match the globs one by one. */
export function wordSequenceMatcher(globs: readonly string[]): (words: readonly string[]) => boolean {
  const matchers = globs.map(globMatcher);
  return (words) => {
    for (let start = 0; start + matchers.length <= words.length; start++) {
      if (matchers.every((matches, i) => matches(words[start + i]!))) return true;
    }
    return false;
  };
}

/** The words themselves when no glob has a wildcard. */
export function plainWords(globs: readonly string[]): string[] | undefined {
  const words = globs.map((glob) => literalOf(globParts(glob)));
  return words.every((word) => word !== undefined) ? words : undefined;
}

/** The longest run of text in the globs: a message that lacks it cannot match. */
export function longestText(globs: readonly string[]): string {
  let longest = '';
  for (const part of globs.flatMap(globParts)) {
    if (part.type === 'text' && part.text.length > longest.length) longest = part.text;
  }
  return longest;
}

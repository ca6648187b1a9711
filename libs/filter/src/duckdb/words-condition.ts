import { globParts } from '../glob.ts';
import { longestText, plainWords } from '../predicate/words-matcher.ts';
import { containsText } from './contains-text.ts';
import { duckDbFunctions } from './function-names.ts';
import { maxPatternWildcards, pattern, sqlLiteral } from './literals.ts';

/** Whether words that follow each other in ` a b c ` match the globs one by one. */
export function wordsCondition(globs: readonly string[], words: string): string {
  const plain = plainWords(globs);
  if (plain !== undefined) return containsText(words, ` ${plain.join(' ')} `);
  const parts = globs.map(globParts);
  const wildcards = parts.flat().filter((part) => part.type !== 'text').length;
  const matches =
    wildcards > maxPatternWildcards
      ? `${duckDbFunctions.words}(${words}, ${sqlLiteral(JSON.stringify(globs))})`
      : `regexp_matches(${words}, ${sqlLiteral(` ${parts.map((each) => pattern(each, '[^ ]')).join(' ')} `)})`;
  const needle = longestText(globs);
  // A search for text is much faster than the pattern, and most rows contain no word of most filters.
  return needle === '' ? matches : `(${containsText(words, needle)} AND ${matches})`;
}

import type { GlobPart } from '../glob.ts';

/** More wildcards than that are matched by the predicate's own code: DuckDB's regular expressions are linear, but not small. */
export const maxPatternWildcards = 256;

/** A text as an SQL literal. */
export function sqlLiteral(text: string): string {
  // U+0000 would end the statement.
  return text
    .split('\0')
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join(' || chr(0) || ');
}

/** A glob's parts as a literal with a regular expression of RE2, in which `one` stands for any one character. */
export function sqlPattern(parts: readonly GlobPart[], one: string): string {
  return sqlLiteral(pattern(parts, one));
}

export function pattern(parts: readonly GlobPart[], one: string): string {
  return parts
    .map((part) => (part.type === 'text' ? escapePattern(part.text) : part.type === 'one' ? one : `${one}*`))
    .join('');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}-]/g, '\\$&');
}

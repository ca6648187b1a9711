import type { StringMatch } from '../ast.ts';
import { globParts, literalOf, type GlobPart } from '../glob.ts';
import { duckDbFunctions } from './function-names.ts';
import { maxPatternWildcards, sqlLiteral, sqlPattern } from './literals.ts';

/** A condition on a text; columns compare by bytes of UTF-8, which is by code points. NULL where the text is. */
export function textCondition(text: string, match: StringMatch): string {
  switch (match.type) {
    case 'exists':
      return `${text} IS NOT NULL`;
    case 'equals':
      return `${text} = ${sqlLiteral(match.value)}`;
    case 'matches':
      return globCondition(text, match.glob);
    case 'between': {
      const bounds: string[] = [];
      if (match.min) bounds.push(`${text} >${match.min.inclusive ? '=' : ''} ${sqlLiteral(match.min.value)}`);
      if (match.max) bounds.push(`${text} <${match.max.inclusive ? '=' : ''} ${sqlLiteral(match.max.value)}`);
      return bounds.join(' AND ') || `${text} IS NOT NULL`;
    }
  }
}

function globCondition(text: string, glob: string): string {
  const parts = globParts(glob);
  const only = literalOf(parts);
  if (only !== undefined) return `${text} = ${sqlLiteral(only)}`;
  const simple = simpleGlob(text, parts);
  if (simple !== undefined) return simple;
  if (parts.filter((part) => part.type !== 'text').length > maxPatternWildcards)
    return `${duckDbFunctions.glob}(${text}, ${sqlLiteral(glob)})`;
  return `regexp_full_match(${text}, ${sqlPattern(parts, '.')}, 's')`;
}

/** `a*`, `*a` and `*a*` have functions of their own, which are much faster. */
function simpleGlob(text: string, parts: readonly GlobPart[]): string | undefined {
  const shape = parts.map(({ type }) => type).join(' ');
  const literal = sqlLiteral(parts.find((part) => part.type === 'text')?.text ?? '');
  if (shape === 'any') return `${text} IS NOT NULL`;
  if (shape === 'text any') return `starts_with(${text}, ${literal})`;
  if (shape === 'any text') return `ends_with(${text}, ${literal})`;
  return shape === 'any text any' ? `contains(${text}, ${literal})` : undefined;
}

import type { Filter, FilterNode, KeywordField } from '../ast.ts';
import { parseNumber } from '../numeric.ts';

/** A field that an index over filters can look up: one of the event's own, or the path of an attribute. */
export type EqualityField = KeywordField | 'level' | `attributes.${string}`;

/** A field and the only values with which an event can match; of an attribute, its values as `String()` writes them. */
export interface EqualityTerm {
  field: EqualityField;
  values: readonly string[];
}

/**
 * The values that every matching event must have, for an index over filters: an event whose field has none of them cannot match and need
 * not be tested. Empty if the filter requires no equality.
 */
export function equalityTerms(filter: Filter): EqualityTerm[] {
  const conditions = filter.ast.type === 'and' ? filter.ast.children : [filter.ast];
  return conditions.map(termOf).filter((term) => term !== undefined);
}

function termOf(node: FilterNode): EqualityTerm | undefined {
  if (node.type === 'level') return { field: 'level', values: node.levels };
  if (node.type === 'keyword' && node.match.type === 'equals')
    return { field: node.field, values: [node.match.value] };
  if (node.type === 'attribute' && node.match.type === 'equals')
    return { field: `attributes.${node.path}`, values: writtenAs(node.match.value) };
  if (node.type !== 'or') return undefined;
  const terms = node.children.map(termOf);
  const field = terms[0]?.field;
  if (field === undefined || terms.some((term) => term?.field !== field)) return undefined;
  return { field, values: terms.flatMap((term) => term!.values) };
}

/** A filter's `5.0` is the text 5.0 and the number 5. */
function writtenAs(text: string): string[] {
  const number = parseNumber(text);
  return number === undefined || String(number) === text ? [text] : [text, String(number)];
}

import type { Filter, FilterNode, KeywordField } from '../ast.ts';

/** A field and the only values with which an event can match. */
export interface EqualityTerm {
  field: KeywordField | 'level';
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
  if (node.type !== 'or') return undefined;
  const terms = node.children.map(termOf);
  const field = terms[0]?.field;
  if (field === undefined || terms.some((term) => term?.field !== field)) return undefined;
  return { field, values: terms.flatMap((term) => term!.values) };
}

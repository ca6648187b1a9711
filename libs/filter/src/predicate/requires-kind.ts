import type { Filter, FilterNode } from '../ast.ts';
import { equalityTerms } from './equality-terms.ts';

/**
 * Whether only events of this correlation kind can match: the filter has `correlationKind:KIND` as a part that every match needs. Of
 * documents also `kind:KIND`, which is an attribute where events are meant.
 */
export function requiresKind(filter: Filter, kind: string, of: 'events' | 'documents'): boolean {
  const isRequired = equalityTerms(filter).some(
    ({ field, values }) => field === 'correlationKind' && values.every((value) => value === kind),
  );
  if (isRequired || of === 'events') return isRequired;
  const parts = filter.ast.type === 'and' ? filter.ast.children : [filter.ast];
  return parts.some((part) => isKind(part, kind));
}

function isKind(node: FilterNode, kind: string): boolean {
  const { type } = node;
  return (
    type === 'attribute' && node.path === 'kind' && node.match.type === 'equals' && node.match.value === kind
  );
}

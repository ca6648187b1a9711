import { compilePartialPredicate, type Filter, type FilterNode } from '@logloom/filter';
import type { Correlation, Level } from '@logloom/schemas';

/**
 * Whether a principal with an imposed filter may see a correlation document: only when every member matches, because the document
 * tells of all of them. The document names its members' services, levels and id; undefined where the filter asks for more, or for
 * combinations, and the members themselves have to be looked at.
 */
export function compileCorrelationAccess(
  filter: Filter,
): (document: Pick<Correlation, 'services' | 'levels' | 'correlationId'>) => boolean | undefined {
  const matches = compilePartialPredicate(filter);
  return ({ services, levels, correlationId }) => {
    const levelNames = Object.keys(levels) as Level[];
    if (services.length === 0 || levelNames.length === 0) return undefined;
    const byService = services.map((service) =>
      levelNames.map((level) => matches({ service, level, correlationId })),
    );
    if (byService.every((values) => values.every((value) => value === true))) return true;
    // Each service, and each level, has at least one member.
    const isFalse = (value: boolean | undefined): boolean => value === false;
    const hasService = byService.some((values) => values.every(isFalse));
    const hasLevel = levelNames.some((_, l) => byService.every((values) => isFalse(values[l])));
    return hasService || hasLevel ? false : undefined;
  };
}

/** Whether the filter asks only for what a document tells of its members. */
export function canDecideCorrelations({ ast }: Filter): boolean {
  return canDecide(ast);
}

function canDecide(node: FilterNode): boolean {
  switch (node.type) {
    case 'all':
    case 'none':
    case 'level':
      return true;
    case 'not':
      return canDecide(node.child);
    case 'and':
    case 'or':
      return node.children.every(canDecide);
    case 'keyword':
      return node.field === 'service' || node.field === 'correlationId';
    default:
      return false;
  }
}

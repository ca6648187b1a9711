import type { Filter } from './ast.ts';
import { formatFilter } from './canonical.ts';
import { and } from './normal-form.ts';

/**
 * The filter that matches events that both match. It is built from their parsed forms, not from their texts: the text of one cannot change
 * the meaning of the other. Its canonical text may be longer than parseFilter() accepts.
 */
export function intersect(a: Filter, b: Filter): Filter {
  const ast = and([a.ast, b.ast]);
  return { ast, canonical: formatFilter(ast) };
}

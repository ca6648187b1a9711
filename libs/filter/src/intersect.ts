import type { Filter } from './ast.ts';
import { formatFilter } from './canonical.ts';
import { and } from './normal-form.ts';

/**
 * The filter that matches what both match. It is made from their meanings, not from their texts: no text of one can reach into the
 * other. Its canonical text may be longer than parseFilter() takes.
 */
export function intersect(a: Filter, b: Filter): Filter {
  const ast = and([a.ast, b.ast]);
  return { ast, canonical: formatFilter(ast) };
}

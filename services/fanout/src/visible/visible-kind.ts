import { compileCorrelationFilter } from '../stream/correlation-filter.ts';
import { correlationsStream } from '../stream/correlations-stream.ts';
import { rememberFilters } from '../stream/filter-cache.ts';
import type { StreamKind } from '../stream/stream-kind.ts';
import { hidden } from './seen-document.ts';

const compile = rememberFilters((text, limits) => {
  const compiled = compileCorrelationFilter(text, limits);
  if (!compiled.ok) return compiled;
  const { matches, ...filter } = compiled.filter;
  return { ok: true, filter: { ...filter, matches: (subject) => subject !== hidden && matches(subject) } };
});

/**
 * The stream of correlations for principals with an imposed filter. A viewer's filter is tested on the visible document. The imposed filter
 * has already shaped that document, so it is not part of the viewer's filter.
 */
export const visibleKind: StreamKind = {
  ...correlationsStream,
  compile: (text, limits) => compile(text, limits),
};

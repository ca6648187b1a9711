import type { FilterLimits } from '@logloom/filter';
import type { StreamKind } from './stream-kind.ts';

const maxFilters = 1000;

/**
 * compile() with a cache of recent texts: thousands of viewers use a handful of filters, and all reconnect at once after a restart, when
 * compiling a filter costs as much as everything else in a subscription. The imposed filter is part of the key: the same text is another
 * filter for each tenant.
 */
export function rememberFilters(compile: StreamKind['compile']): StreamKind['compile'] {
  type Known = Map<string, ReturnType<StreamKind['compile']>>;
  const knownWithin = new WeakMap<FilterLimits, Known>();
  return (text, limits, imposed) => {
    const known: Known = knownWithin.get(limits) ?? new Map<string, ReturnType<StreamKind['compile']>>();
    knownWithin.set(limits, known);
    // No filter contains U+0000, so the key is unambiguous.
    const key = imposed === undefined ? text : `${imposed.canonical}\0${text}`;
    let compiled = known.get(key);
    // A map keeps the order of insertion: the first one is the least recently used.
    if (compiled === undefined) compiled = compile(text, limits, imposed);
    else known.delete(key);
    if (!compiled.ok) return compiled;
    known.set(key, compiled);
    if (known.size > maxFilters) known.delete(known.keys().next().value!);
    return compiled;
  };
}

import type { FilterLimits } from '@logloom/filter';
import type { StreamKind } from './stream-kind.ts';

const maxFilters = 1000;

/**
 * compile() with a memory of the texts that were asked for last: viewers come in thousands with a handful of filters, and all at
 * once after a restart, when reading one costs as much as everything else that a subscription does. What is imposed on a viewer is part
 * of what is remembered: one text is another filter for each tenant.
 */
export function rememberFilters(compile: StreamKind['compile']): StreamKind['compile'] {
  type Known = Map<string, ReturnType<StreamKind['compile']>>;
  const knownWithin = new WeakMap<FilterLimits, Known>();
  return (text, limits, imposed) => {
    const known: Known = knownWithin.get(limits) ?? new Map<string, ReturnType<StreamKind['compile']>>();
    knownWithin.set(limits, known);
    // No filter holds U+0000, so the two cannot be taken for one.
    const key = imposed === undefined ? text : `${imposed.canonical}\0${text}`;
    let compiled = known.get(key);
    // A map keeps the order of insertion: the first is the one that was not asked for longest.
    if (compiled === undefined) compiled = compile(text, limits, imposed);
    else known.delete(key);
    if (!compiled.ok) return compiled;
    known.set(key, compiled);
    if (known.size > maxFilters) known.delete(known.keys().next().value!);
    return compiled;
  };
}

import type { StreamKind } from './stream-kind.ts';

const maxFilters = 1000;

/**
 * compile() with a memory of the texts that were asked for last: viewers come in thousands with a handful of filters, and all at
 * once after a restart, when reading one costs as much as everything else that a subscription does.
 */
export function rememberFilters(compile: StreamKind['compile']): StreamKind['compile'] {
  const known = new Map<string, ReturnType<StreamKind['compile']>>();
  return (text) => {
    let compiled = known.get(text);
    // A map keeps the order of insertion: the first is the one that was not asked for longest.
    if (compiled === undefined) compiled = compile(text);
    else known.delete(text);
    if (!compiled.ok) return compiled;
    known.set(text, compiled);
    if (known.size > maxFilters) known.delete(known.keys().next().value!);
    return compiled;
  };
}

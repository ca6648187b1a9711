import type { Condition, Filter, FilterNode } from './ast.ts';
import { globParts } from './glob.ts';

/** The limits on a filter's size, beside the bounds of the language (scan.ts). */
export interface FilterLimits {
  /** Conditions; a word of a phrase is one. */
  terms: number;
  /** AND, OR and NOT inside each other. */
  depth: number;
  /** `*` and `?`. */
  wildcards: number;
}

export interface FilterTooComplex {
  code: 'filter-too-complex';
  /** Names the limit. */
  message: string;
}

/** Whether the filter is within the limits, else which one it exceeds. A condition that tests only for existence has no wildcard. */
export function checkComplexity({ ast }: Filter, limits: FilterLimits): FilterTooComplex | undefined {
  const found = measure(ast);
  for (const name of ['terms', 'depth', 'wildcards'] as const) {
    if (found[name] <= limits[name]) continue;
    const message = `the filter has ${found[name]} ${nouns[name]}; ${limits[name]} are allowed`;
    return { code: 'filter-too-complex', message };
  }
  return undefined;
}

const nouns = { terms: 'conditions', depth: 'levels of AND, OR and NOT', wildcards: 'wildcards' };

function measure(node: FilterNode): FilterLimits {
  switch (node.type) {
    case 'all':
    case 'none':
      return { terms: 0, depth: 0, wildcards: 0 };
    case 'not':
      return under([node.child]);
    case 'and':
    case 'or':
      return under(node.children);
    default: {
      const globs = globsOf(node);
      return {
        terms: node.type === 'words' ? node.words.length : 1,
        depth: 0,
        wildcards: globs.reduce((sum, glob) => sum + wildcards(glob), 0),
      };
    }
  }
}

function under(children: readonly FilterNode[]): FilterLimits {
  const total = { terms: 0, depth: 0, wildcards: 0 };
  for (const child of children.map(measure)) {
    total.terms += child.terms;
    total.wildcards += child.wildcards;
    total.depth = Math.max(total.depth, child.depth);
  }
  total.depth++;
  return total;
}

function globsOf(condition: Condition): readonly string[] {
  if (condition.type === 'words') return condition.words;
  if (condition.type !== 'keyword' && condition.type !== 'attribute') return [];
  return condition.match.type === 'matches' ? [condition.match.glob] : [];
}

function wildcards(glob: string): number {
  return globParts(glob).filter((part) => part.type !== 'text').length;
}

import type { Slot } from './slots.ts';

/** An event or request that an alert names: when it counted (ms), its place, and its correlation id or, without one, its own. */
export type Example = readonly [timeMs: number, partition: number, offset: number, id: string];

/** What one input adds to a key of a rule in one step. */
export interface Contribution {
  /** WindowRule.id. */
  rule: string;
  key: readonly string[];
  /** The step: its time in ms divided by stepMs, rounded down. */
  step: number;
  count: number;
  /** One for each column of the rule. */
  slots: Slot[];
  examples: readonly Example[];
}

export const maxExamples = 5;

/** The latest ones of both, each id once. */
export function latestExamples(a: readonly Example[], b: readonly Example[]): readonly Example[] {
  if (b.length === 0) return a;
  if (a.length === 0 && b.length === 1) return b;
  const sorted = [...a, ...b].sort((x, y) => y[0] - x[0] || y[1] - x[1] || y[2] - x[2]);
  const kept: Example[] = [];
  for (const example of sorted)
    if (kept.length < maxExamples && !isNamed(kept, example[3])) kept.push(example);
  return kept;
}

/** The latest ones of both, each id once, where all of the second are later than those of the first; the latest come first. */
export function laterExamples(before: readonly Example[], later: readonly Example[]): readonly Example[] {
  if (later.length === 0) return before;
  const kept = later.length === 1 ? [later[0]!] : [...latestExamples([], later)];
  for (const example of before) {
    if (kept.length >= maxExamples) break;
    if (!isNamed(kept, example[3])) kept.push(example);
  }
  return kept;
}

/** Indexing, because taking an array apart costs an iterator. */
function isNamed(examples: readonly Example[], id: string): boolean {
  for (const example of examples) if (example[3] === id) return true;
  return false;
}

/** The keys as one text, different for different ones. */
export function keyText(key: readonly string[]): string {
  return key.length === 1 ? key[0]! : JSON.stringify(key);
}

import type { CompiledTerm, WindowCondition, WindowRule } from '../window/window-rule.ts';
import { emptySlot, mergeSlots, quantileOf, rankOf, sumOf, type Mark, type Slot } from './slots.ts';

/** What a key has in a window. */
export interface WindowTotal {
  count: number;
  slots: readonly Slot[];
}

export const dayMs = 86_400_000;

/** The part of a key's steps in [from, to]. */
export function totalOf(
  rule: WindowRule,
  steps: readonly (WindowTotal & { step: number })[],
  from: number,
  to: number,
): WindowTotal {
  let count = 0;
  const slots = rule.columns.map(emptySlot);
  for (const part of steps) {
    if (part.step < from || part.step > to) continue;
    count += part.count;
    for (let i = 0; i < slots.length; i++) slots[i] = mergeSlots(rule.columns[i]!, slots[i]!, part.slots[i]!);
  }
  return { count, slots };
}

/** How many steps back a rule looks: its window, and what that is compared with. */
export function stepsBack({ windowMs, stepMs, condition, until, sequence }: WindowRule): number {
  const window = windowMs / stepMs;
  // Events that are late by the time of the sequence still find each other.
  if (sequence !== null) return 2 * window;
  const terms = [...condition, ...(until ?? [])];
  const isTo = (of: string): boolean => terms.some((term) => term.type === 'compare' && term.of === of);
  if (isTo('yesterday')) return window + dayMs / stepMs;
  return isTo('previous') ? 2 * window : window;
}

/** Whether a condition can begin to hold because less comes: then a key is judged while it is silent too. */
export function judgesSilence(condition: WindowCondition): boolean {
  return condition.some(
    (term) => term.type === 'absent' || (term.type === 'compare' && term.operator.startsWith('<')),
  );
}

/** The totals that a condition needs, each computed when it is asked for. */
export interface Totals {
  now: WindowTotal;
  previous: () => WindowTotal;
  yesterday: () => WindowTotal;
  /** Whether the key's first event is in the window, and the rule was there before it. */
  isNew: boolean;
  windowMs: number;
  /** Whether the rule has been in force for a whole window that ended so long (ms) before. */
  hasSeen: (beforeMs: number) => boolean;
}

export function holds(condition: WindowCondition, totals: Totals): boolean {
  return condition.every((term) => holdsTerm(term, totals));
}

function holdsTerm(term: CompiledTerm, totals: Totals): boolean {
  if (term.type !== 'compare') return term.type === 'new' ? totals.isNew : totals.now.count === 0;
  const { measure, operator, value, of } = term;
  if (measure.type === 'quantile') {
    const { n, below } = totals.now.slots[measure.column] as { n: number; below: number[] };
    if (n === 0) return false;
    // The value at the rank is above the bound if fewer than so many are not.
    const isAbove = below[measure.bound]! < rankOf(n, measure.quantile);
    return operator.startsWith('>') ? isAbove : !isAbove;
  }
  const measured = measureOf(term, totals.now, totals.windowMs);
  if (measured === undefined) return false;
  if (of === null) return compare(measured, operator, value);
  // A window that was only partly seen says nothing.
  if (!totals.hasSeen(of === 'previous' ? totals.windowMs : dayMs)) return false;
  const base = measureOf(term, totals[of](), totals.windowMs);
  return base !== undefined && base !== 0 && compare(measured, operator, value * base);
}

function compare(a: number, operator: '>' | '>=' | '<' | '<=', b: number): boolean {
  switch (operator) {
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
  }
}

/** What is measured; undefined where there is nothing to measure. */
function measureOf(
  { measure }: CompiledTerm & { type: 'compare' },
  { count, slots }: WindowTotal,
  windowMs: number,
): number | undefined {
  switch (measure.type) {
    case 'count':
      return measure.column < 0 ? count : (slots[measure.column] as number);
    case 'rate':
      return (count * measure.perMs) / windowMs;
    case 'ratio':
      return count === 0 ? undefined : (slots[measure.column] as number) / count;
    case 'distinct':
      return (slots[measure.column] as Set<string>).size;
    case 'flapping':
      return changesOf(slots[measure.column] as Mark[]);
    case 'sum':
      return sumOf(slots[measure.column] as { sum: bigint });
    case 'avg': {
      const sum = slots[measure.column] as { n: number; sum: bigint };
      return sum.n === 0 ? undefined : sumOf(sum) / sum.n;
    }
    case 'min':
    case 'max': {
      const { least, most } = slots[measure.column] as { least: number; most: number };
      const value = measure.type === 'min' ? least : most;
      return Number.isFinite(value) ? value : undefined;
    }
    case 'quantile': {
      const all = slots[measure.column] as { n: number; bins: Map<number, number> };
      return all.n === 0 ? undefined : quantileOf(all, measure.quantile);
    }
  }
}

/** The value that an alert shows: that of the first comparison. */
export function shownValue(condition: WindowCondition, now: WindowTotal, windowMs: number): number | null {
  const term = condition[0];
  return term?.type === 'compare' ? (measureOf(term, now, windowMs) ?? null) : null;
}

/** By their own timestamps; with equal ones, by their places. */
export function inOrder(marks: readonly Mark[]): Mark[] {
  return marks.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
}

function changesOf(marks: readonly Mark[]): number {
  let changes = 0;
  let last: number | undefined;
  for (const [, , , bits] of inOrder(marks)) {
    if (last !== undefined && bits !== last) changes++;
    last = bits;
  }
  return changes;
}

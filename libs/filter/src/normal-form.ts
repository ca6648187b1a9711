import { levels, type Level } from '@logloom/schemas';
import type { FilterNode } from './ast.ts';
import { formatFilter } from './canonical.ts';

export const all: FilterNode = { type: 'all' };
export const none: FilterNode = { type: 'none' };

/** An event's level is one of these. */
export function levelIn(wanted: readonly Level[]): FilterNode {
  const ordered = levels.filter((level) => wanted.includes(level));
  if (ordered.length === 0) return none;
  return ordered.length === levels.length ? all : { type: 'level', levels: ordered };
}

/** The complement. */
export function not(child: FilterNode): FilterNode {
  if (child.type === 'all') return none;
  if (child.type === 'none') return all;
  if (child.type === 'not') return child.child;
  // Every event has a level, so the other levels are the complement.
  if (child.type === 'level') return levelIn(levels.filter((level) => !child.levels.includes(level)));
  return { type: 'not', child };
}

export function and(children: readonly FilterNode[]): FilterNode {
  return combine('and', children);
}

export function or(children: readonly FilterNode[]): FilterNode {
  return combine('or', children);
}

/** Combines children in normal form into a node in normal form: flat, with all levels in one child, sorted, without duplicates. */
function combine(type: 'and' | 'or', children: readonly FilterNode[]): FilterNode {
  const [neutral, absorbing] = type === 'and' ? ['all', 'none'] : ['none', 'all'];
  const flat = children.flatMap((child) => (child.type === type ? child.children : [child]));
  const sets = flat.filter((child) => child.type === 'level').map((child) => child.levels);
  const wanted = levels.filter((level) =>
    type === 'and' ? sets.every((set) => set.includes(level)) : sets.some((set) => set.includes(level)),
  );
  const parts = flat.filter((child) => child.type !== 'level' && child.type !== neutral);
  if (sets.length > 0) parts.push(levelIn(wanted));
  if (parts.some((part) => part.type === absorbing)) return type === 'and' ? none : all;
  const byText = new Map(
    parts.filter((part) => part.type !== neutral).map((part) => [formatFilter(part), part]),
  );
  const sorted = [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  if (sorted.length === 0) return type === 'and' ? all : none;
  return sorted.length === 1 ? sorted[0]! : { type, children: sorted };
}

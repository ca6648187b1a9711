import type { Span } from './span.ts';

/**
 * Sets how long each span took and how much of that itself; parents come before their children. A span lasts at least as long as its
 * children: its own end may not be logged.
 *
 * Only spans of one host share a clock. A child on another host that by its clock began before its parent is moved to its parent's
 * beginning, and so is what is below it on its host.
 */
export function measureSpans(spans: readonly Span[]): void {
  for (const span of spans) {
    const { parent } = span;
    if (parent === undefined) continue;
    span.movedBy = span.clock === parent.clock ? parent.movedBy : Math.max(0, parent.from - span.from);
    span.from += span.movedBy;
    span.to += span.movedBy;
  }
  for (let i = spans.length - 1; i >= 0; i--) measure(spans[i]!);
}

/** Its children are measured. */
function measure(span: Span): void {
  span.children.sort((a, b) => a.from - b.from);
  let covered = 0;
  let end = -Infinity;
  for (const child of span.children) {
    covered += Math.max(0, child.to - Math.max(end, child.from));
    end = Math.max(end, child.to);
  }
  span.from = Math.min(span.from, span.children[0]?.from ?? Infinity);
  span.to = Math.max(span.to, end);
  span.self = span.to - span.from - covered;
}

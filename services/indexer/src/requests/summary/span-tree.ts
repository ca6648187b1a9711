import { spanDurationMicros } from '@logloom/schemas';
import { measureSpans } from './measure-spans.ts';
import type { Span } from './span.ts';
import { clockOf, isError, nameOf, textAttribute, type SummaryEvent } from './summary-event.ts';

export interface SpanTree {
  roots: Span[];
  /** Parents before their children. */
  spans: Span[];
  of(event: SummaryEvent): Span | undefined;
}

/** The names under which loggers write the parent of a span. */
const parentNames = [
  ...['parentSpanId', 'parent_span_id', 'parentId', 'parent_id', 'parent.id', 'span.parent.id'],
  ...['trace.parent_id', 'X-B3-ParentSpanId', 'dd.parent_id'],
];

/**
 * The spans that the events (in time order) name, as a tree; undefined if no event names a parent that has events too, and no tracer says how
 * long a span took.
 */
export function spanTree(events: readonly { event: SummaryEvent; at: number }[]): SpanTree | undefined {
  const byKey = new Map<string, Span>();
  const firstOfId = new Map<string, Span>();
  const parentIds = new Map<Span, string>();
  /** Whether a tracer says how long spans took. */
  let isMeasured = false;
  for (const { event, at } of events) {
    if (event.spanId === null) continue;
    const key = keyOf(event);
    let span = byKey.get(key);
    if (span === undefined) {
      byKey.set(key, (span = newSpan(event, at)));
      if (!firstOfId.has(event.spanId)) firstOfId.set(event.spanId, span);
    }
    span.events++;
    if (isError(event)) span.errors++;
    const duration = spanDurationMicros(event.attributes);
    span.to = Math.max(span.to, at + (duration ?? 0));
    if (duration !== undefined) {
      span.name = nameOf(event);
      isMeasured = true;
    }
    if (!parentIds.has(span)) {
      const parentId = parentOf(event);
      if (parentId !== undefined && parentId !== event.spanId) parentIds.set(span, parentId);
    }
  }
  let isConnected = isMeasured;
  for (const span of byKey.values()) {
    const first = firstOfId.get(span.id)!;
    const parentId = parentIds.get(span);
    const parent = parentId === undefined ? undefined : firstOfId.get(parentId);
    if (parent !== undefined) isConnected = true;
    // A service that only passes its caller's span on.
    span.parent = parent ?? (span === first ? undefined : first);
  }
  if (!isConnected) return undefined;
  const all = [...byKey.values()];
  cutCycles(all);
  const roots: Span[] = [];
  for (const span of all) (span.parent?.children ?? roots).push(span);
  measureSpans(parentsFirst(roots));
  roots.sort((a, b) => a.from - b.from);
  markCritical(roots);
  return {
    roots,
    spans: parentsFirst(roots),
    of: (event) => (event.spanId === null ? undefined : byKey.get(keyOf(event))),
  };
}

function keyOf({ spanId, service }: SummaryEvent): string {
  return `${spanId}\0${service}`;
}

function newSpan(event: SummaryEvent, at: number): Span {
  const { spanId, service } = event;
  return {
    id: spanId!,
    service,
    clock: clockOf(event),
    name: nameOf(event),
    events: 0,
    errors: 0,
    from: at,
    to: at,
    self: 0,
    movedBy: 0,
    parent: undefined,
    children: [],
    depth: 0,
    enter: 0,
    leave: 0,
    isCritical: false,
  };
}

function parentOf({ attributes }: SummaryEvent): string | undefined {
  return /parent/i.test(attributes) ? textAttribute(attributes, parentNames) : undefined;
}

/** A span of a cycle of parents that is reached first becomes a root. */
function cutCycles(spans: readonly Span[]): void {
  const checked = new Set<Span>();
  for (const start of spans) {
    const way = new Set<Span>();
    for (let span: Span | undefined = start; span !== undefined && !checked.has(span); span = span.parent) {
      way.add(span);
      if (span.parent !== undefined && way.has(span.parent)) span.parent = undefined;
    }
    for (const span of way) checked.add(span);
  }
}

/** Fills in depths and places; without recursion, as a chain of spans may be long. */
function parentsFirst(roots: readonly Span[]): Span[] {
  const spans: Span[] = [];
  const open = roots.toReversed();
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    span.enter = span.leave = spans.length;
    span.depth = span.parent === undefined ? 0 : span.parent.depth + 1;
    spans.push(span);
    for (let i = span.children.length - 1; i >= 0; i--) open.push(span.children[i]!);
  }
  for (let i = spans.length - 1; i >= 0; i--) {
    const { parent, leave } = spans[i]!;
    if (parent !== undefined) parent.leave = Math.max(parent.leave, leave);
  }
  return spans;
}

function markCritical(roots: readonly Span[]): void {
  for (let span = lastEnded(roots); span !== undefined; span = lastEnded(span.children))
    span.isCritical = true;
}

function lastEnded(spans: readonly Span[]): Span | undefined {
  let last: Span | undefined;
  for (const span of spans) if (last === undefined || span.to > last.to) last = span;
  return last;
}

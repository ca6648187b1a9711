import { formatMicros } from '@logloom/schemas';
import { chooseSpans, groupAlike } from './shown-spans.ts';
import type { SpanTree } from './span-tree.ts';
import type { Span } from './span.ts';
import { isError, nameOf, type SummaryEvent } from './summary-event.ts';

/** A stretch of time in one service. */
export interface PathStep {
  service: string;
  /** The span's own name, else the first line of its first event. */
  name: string;
  from: string;
  to: string;
  ms: number;
  events: number;
  errors: number;
}

/** A span, or several alike: siblings with one service and name, and no children. */
export interface PathSpan extends PathStep {
  spanId: string;
  /** 0 for a root; that of the span that called it, the nearest one before it with a lower depth, and 1. */
  depth: number;
  /** The part of `ms` in which none of its children ran. */
  selfMs: number;
  /** How many spans it stands for, if several: then `ms` and `selfMs` are sums. */
  count?: number;
  /** Whether it is on the way from the root to the span that ended last. */
  critical: boolean;
  /** By how much it was moved: by its host's clock it began before the span that called it. */
  movedMs?: number;
  /** How many spans below it are left out. */
  omitted?: number;
}

/**
 * The way that the request took: the tree of its spans, each followed by what it called, in the order of their beginnings; or its services
 * in turn. `omitted` spans or steps, those that tell least, are left out.
 */
export type RequestPath =
  { by: 'spans'; steps: PathSpan[]; omitted: number } | { by: 'order'; steps: PathStep[]; omitted: number };

const maxSpans = 200;
const maxSteps = 50;

/** The tree of spans where the events say it, otherwise the services in turn; bounded for requests of any size. */
export function requestPath(
  events: readonly { event: SummaryEvent; at: number }[],
  tree: SpanTree | undefined,
): RequestPath {
  return tree === undefined ? pathByOrder(events) : pathBySpans(tree);
}

function pathBySpans(tree: SpanTree): RequestPath {
  const groups = groupAlike(tree);
  const shown = chooseSpans([...groups.keys()], maxSpans);
  const steps = new Map<Span, PathSpan>();
  // A span that is left out counts for the nearest one above it that is not.
  const nearest = new Map<Span, PathSpan | undefined>();
  let omitted = 0;
  for (const [span, alike] of groups) {
    if (shown.has(span)) {
      steps.set(span, describe(span, alike));
      continue;
    }
    const above = span.parent && (steps.get(span.parent) ?? nearest.get(span.parent));
    nearest.set(span, above);
    omitted += alike.length;
    if (above !== undefined) above.omitted = (above.omitted ?? 0) + alike.length;
  }
  return { by: 'spans', steps: [...steps.values()], omitted };
}

function describe(span: Span, alike: readonly Span[]): PathSpan {
  const sum = (of: (each: Span) => number): number => alike.reduce((total, each) => total + of(each), 0);
  return {
    service: span.service,
    spanId: span.id,
    depth: span.depth,
    name: span.name,
    from: formatMicros(span.from),
    to: formatMicros(alike.reduce((latest, { to }) => Math.max(latest, to), span.to)),
    ms: sum(({ from, to }) => to - from) / 1000,
    selfMs: sum(({ self }) => self) / 1000,
    events: sum(({ events }) => events),
    errors: sum(({ errors }) => errors),
    ...(alike.length === 1 ? {} : { count: alike.length }),
    critical: span.isCritical,
    ...(span.movedBy === 0 ? {} : { movedMs: span.movedBy / 1000 }),
  };
}

/** How long the events stay in one service before the next one logs. */
function pathByOrder(events: readonly { event: SummaryEvent; at: number }[]): RequestPath {
  const steps: PathStep[] = [];
  let omitted = 0;
  for (let i = 0; i < events.length;) {
    const first = events[i]!;
    let next = i;
    let errors = 0;
    for (; events[next]?.event.service === first.event.service; next++)
      if (isError(events[next]!.event)) errors++;
    if (steps.length < maxSteps) {
      // Until the next service logs: the time in between belongs to the call.
      const end = (events[next] ?? events.at(-1)!).at;
      steps.push({
        service: first.event.service,
        name: nameOf(first.event),
        from: formatMicros(first.at),
        to: formatMicros(end),
        ms: (end - first.at) / 1000,
        events: next - i,
        errors,
      });
    } else omitted++;
    i = next;
  }
  return { by: 'order', steps, omitted };
}

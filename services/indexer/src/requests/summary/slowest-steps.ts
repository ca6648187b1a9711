import { formatMicros } from '@logloom/schemas';
import { kindOf } from './shown-spans.ts';
import type { SpanTree } from './span-tree.ts';
import type { Span } from './span.ts';
import { clockOf, lineOf, nameOf, type SummaryEvent, type SummaryLine } from './summary-event.ts';

/** The time of a span in which none of its children ran; or of several alike, those of one service and name. */
export interface SelfStep {
  by: 'self';
  ms: number;
  /** The part of the request's duration; more than 1 where spans ran at the same time. */
  share: number;
  service: string;
  name: string;
  /** How many spans they are; the other members are those of the longest. */
  count: number;
  spanId: string;
  from: string;
}

/** The time between two successive events. */
export interface GapStep {
  by: 'gap';
  ms: number;
  /** The part of the request's duration, 0 to 1. */
  share: number;
  after: GapEnd;
  before: GapEnd;
  /** Two clocks measured it: it contains their difference. */
  acrossHosts: boolean;
}

/** An event beside a gap; `name` is the first line of its message. */
export interface GapEnd extends SummaryLine {
  name: string;
}

type Step = { micros: number; describe: (size: { ms: number; share: number }) => SelfStep | GapStep };

const maxSteps = 5;
/** A shorter part of a request explains nothing. */
const minShare = 0.01;

/**
 * Where the request's time went, the longest first, at most five: the self times of its spans, and the gaps between events that are not
 * both in the tree. The events are in time order.
 */
export function slowestSteps(
  events: readonly { event: SummaryEvent; at: number }[],
  tree: SpanTree | undefined,
): (SelfStep | GapStep)[] {
  const ends = [...(tree?.roots ?? []), ...events.map(({ at }) => ({ from: at, to: at }))];
  const from = ends.reduce((least, end) => Math.min(least, end.from), Infinity);
  const whole = ends.reduce((most, end) => Math.max(most, end.to), -Infinity) - from;
  if (!(whole > 0)) return [];
  return [...selfTimes(tree), ...gaps(events, tree)]
    .filter(({ micros }) => micros >= whole * minShare)
    .sort((a, b) => b.micros - a.micros)
    .slice(0, maxSteps)
    .map(({ micros, describe }) =>
      describe({ ms: micros / 1000, share: Math.round((1000 * micros) / whole) / 1000 }),
    );
}

function selfTimes(tree: SpanTree | undefined): Step[] {
  const groups = new Map<string, { longest: Span; micros: number; count: number }>();
  for (const span of tree?.spans ?? []) {
    const key = kindOf(span);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { longest: span, micros: span.self, count: 1 });
      continue;
    }
    group.micros += span.self;
    group.count++;
    if (span.self > group.longest.self) group.longest = span;
  }
  return [...groups.values()].map(({ longest: { service, name, id, from }, micros, count }) => ({
    micros,
    describe: (size) => ({ by: 'self', ...size, service, name, count, spanId: id, from: formatMicros(from) }),
  }));
}

function gaps(events: readonly { event: SummaryEvent; at: number }[], tree: SpanTree | undefined): Step[] {
  const steps: Step[] = [];
  for (let i = 1; i < events.length; i++) {
    const [after, before] = [events[i - 1]!, events[i]!];
    if (tree?.of(after.event) !== undefined && tree.of(before.event) !== undefined) continue;
    steps.push({
      micros: before.at - after.at,
      describe: (size) => ({
        by: 'gap',
        ...size,
        after: { ...lineOf(after.event), name: nameOf(after.event) },
        before: { ...lineOf(before.event), name: nameOf(before.event) },
        acrossHosts: clockOf(after.event) !== clockOf(before.event),
      }),
    });
  }
  return steps;
}

import { attributeValues } from '@logloom/filter';
import { formatMicros, type Level, type PlacedEvent } from '@logloom/schemas';

/** A line of a request, for people. */
export interface SummaryLine {
  id: string;
  timestamp: string;
  level: Level;
  service: string;
  message: string;
}

/** A stretch of time in one service. */
export interface PathStep {
  service: string;
  spanId?: string;
  from: string;
  to: string;
  ms: number;
}

/** The summary of a request. */
export interface RequestSummary {
  /** The services in the order in which they appeared, by the events' own times. */
  services: string[];
  firstError?: SummaryLine;
  /** The longest time without an event, if there are at least two events. */
  slowestGap?: { ms: number; after: SummaryLine; before: SummaryLine };
  /** Where the request's time went: `spans` from the root to the span that ended last, and so on; `time` if there are no spans. */
  criticalPath: { by: 'spans' | 'time'; steps: PathStep[] };
  /** Errors first, then warnings, then the others, each in order; at most 20. */
  sample: SummaryLine[];
}

type Event = Omit<PlacedEvent, 'source' | 'receivedAt'>;

const maxSample = 20;
const maxSteps = 50;
const maxMessage = 500;

/** A function of the events, which are in time order. */
export function summarizeRequest(events: readonly Event[]): RequestSummary {
  const firstError = events.find(isError);
  const gap = slowestGap(events);
  return {
    services: [...new Set(events.map(({ service }) => service))],
    ...(firstError === undefined ? {} : { firstError: line(firstError) }),
    ...(gap === undefined ? {} : { slowestGap: gap }),
    criticalPath: spanPath(events) ?? timePath(events),
    sample: sampleOf(events).map(line),
  };
}

function isError({ level }: Event): boolean {
  return level === 'error' || level === 'fatal';
}

function slowestGap(events: readonly Event[]): RequestSummary['slowestGap'] {
  let longest = -1;
  let at = 0;
  for (let i = 1; i < events.length; i++) {
    const gap = events[i]!.timestamp - events[i - 1]!.timestamp;
    if (gap > longest) [longest, at] = [gap, i];
  }
  if (longest < 0) return undefined;
  return { ms: longest / 1000, after: line(events[at - 1]!), before: line(events[at]!) };
}

function sampleOf(events: readonly Event[]): Event[] {
  const groups = [isError, ({ level }: Event) => level === 'warn', () => true];
  const chosen = new Set<Event>();
  for (const belongs of groups)
    for (const event of events) if (chosen.size < maxSample && belongs(event)) chosen.add(event);
  return [...chosen];
}

interface Span {
  id: string;
  parent: string | undefined;
  service: string;
  start: number;
  end: number;
}

/** The names under which loggers give the parent of a span. */
const parentNames = ['parentSpanId', 'parent_span_id', 'parentId', 'parent.id'];

/**
 * The critical path of the spans that the events name: a span is as long as its events show. From the root on, each parent waited for the
 * child that ended last. Undefined if fewer than two spans are connected.
 */
function spanPath(events: readonly Event[]): RequestSummary['criticalPath'] | undefined {
  const spans = new Map<string, Span>();
  for (const event of events) {
    if (event.spanId === null) continue;
    const span = spans.get(event.spanId);
    const parent = span?.parent ?? parentOf(event);
    if (span === undefined) {
      const { spanId: id, service, timestamp } = event;
      spans.set(id, { id, parent, service, start: timestamp, end: timestamp });
    } else {
      span.parent = parent;
      span.end = event.timestamp;
    }
  }
  const children = new Map<string, Span[]>();
  const roots: Span[] = [];
  for (const span of spans.values()) {
    if (span.parent === undefined || span.parent === span.id || !spans.has(span.parent)) roots.push(span);
    else children.set(span.parent, [...(children.get(span.parent) ?? []), span]);
  }
  if (children.size === 0) return undefined;
  const steps: PathStep[] = [];
  // A cycle of parents has no root; each span is visited once.
  const seen = new Set<Span>();
  for (
    let span = lastEnded(roots, children);
    span !== undefined && !seen.has(span) && steps.length < maxSteps;
    span = lastEnded(children.get(span.id) ?? [], children)
  ) {
    seen.add(span);
    steps.push(step(span.service, span.start, endOf(span, children), span.id));
  }
  return steps.length < 2 ? undefined : { by: 'spans', steps };
}

/** A span lasts at least as long as its children: its own end may not be logged. */
function endOf(span: Span, children: ReadonlyMap<string, Span[]>, depth = 0): number {
  if (depth > maxSteps) return span.end;
  return (children.get(span.id) ?? []).reduce(
    (end, child) => Math.max(end, endOf(child, children, depth + 1)),
    span.end,
  );
}

function lastEnded(spans: readonly Span[], children: ReadonlyMap<string, Span[]>): Span | undefined {
  let last: Span | undefined;
  for (const span of spans)
    if (last === undefined || endOf(span, children) > endOf(last, children)) last = span;
  return last;
}

function parentOf({ attributes }: Event): string | undefined {
  if (!/parent/.test(attributes)) return undefined;
  const values = attributeValues(attributes);
  for (const name of parentNames) {
    const value = values.get(name)?.[0];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** Without spans: how long the events stay in one service before the next one logs. */
function timePath(events: readonly Event[]): RequestSummary['criticalPath'] {
  const steps: PathStep[] = [];
  for (let i = 0; i < events.length && steps.length < maxSteps;) {
    const { service, timestamp } = events[i]!;
    let next = i + 1;
    while (events[next]?.service === service) next++;
    // Until the next service logs: the time in between belongs to the call.
    const end = events[next]?.timestamp ?? events.at(-1)!.timestamp;
    steps.push(step(service, timestamp, end));
    i = next;
  }
  return { by: 'time', steps };
}

function step(service: string, start: number, end: number, spanId?: string): PathStep {
  const span = spanId === undefined ? {} : { spanId };
  return { service, ...span, from: formatMicros(start), to: formatMicros(end), ms: (end - start) / 1000 };
}

function line({ id, timestamp, level, service, message }: Event): SummaryLine {
  const short = message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message;
  return { id, timestamp: formatMicros(timestamp), level, service, message: short.toWellFormed() };
}

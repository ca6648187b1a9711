import { inTimeOrder } from './event-times.ts';
import { firstError, type FirstError } from './first-error.ts';
import { requestPath, type RequestPath } from './request-path.ts';
import { slowestSteps, type GapStep, type SelfStep } from './slowest-steps.ts';
import { spanTree } from './span-tree.ts';
import { isError, lineOf, type SummaryEvent, type SummaryLine } from './summary-event.ts';

/** The summary of a request. */
export interface RequestSummary {
  /** How many of the request's events it is made of: the first ones of a request that has very many. */
  events: number;
  /** The services in the order in which they appeared. */
  services: string[];
  firstError?: FirstError;
  /** Where the time went, the longest first; at most 5. */
  slowest: (SelfStep | GapStep)[];
  path: RequestPath;
  /** Errors first, then warnings, then the others, each in order; at most 20. */
  sample: SummaryLine[];
}

const maxSample = 20;

/** A function of the events, in any order. */
export function summarizeRequest(given: readonly SummaryEvent[]): RequestSummary {
  const events = inTimeOrder(given);
  const tree = spanTree(events);
  const error = firstError(events, tree);
  return {
    events: events.length,
    services: [...new Set(events.map(({ event }) => event.service))],
    ...(error === undefined ? {} : { firstError: error }),
    slowest: slowestSteps(events, tree),
    path: requestPath(events, tree),
    sample: sampleOf(events.map(({ event }) => event)).map(lineOf),
  };
}

function sampleOf(events: readonly SummaryEvent[]): SummaryEvent[] {
  const groups = [isError, ({ level }: SummaryEvent) => level === 'warn', () => true];
  const chosen = new Set<SummaryEvent>();
  for (const belongs of groups)
    for (const event of events) if (chosen.size < maxSample && belongs(event)) chosen.add(event);
  return [...chosen];
}

import { errorCauses, type RequestError } from './error-causes.ts';
import { innermostCause } from './exception-chain.ts';
import type { SpanTree } from './span-tree.ts';
import { isError, lineOf, type SummaryEvent, type SummaryLine } from './summary-event.ts';

/** An error; `cause` is the innermost cause of its exception, where its text has a chain of them. */
export interface ErrorLine extends SummaryLine {
  cause?: string;
}

/** The error with which a request's failure began. */
export interface FirstError extends ErrorLine {
  /**
   * What says that it came first: `causes` if other errors repeat, wrap or name it; `spans` if the others are in the spans that called it;
   * `time` if nothing but the time does.
   */
  by: 'causes' | 'spans' | 'time';
  /** The errors that followed from it, nearest first; at most 5. */
  consequences: ErrorLine[];
}

type Timed = { event: SummaryEvent; at: number };

const maxConsequences = 5;
const kinds = ['causes', 'spans', 'causes'] as const;

/**
 * The first error by cause, not by arrival. From the outermost error, one that no other follows from, its causes are followed to their
 * ends. The end in the deepest span is the first error, of several there the earliest. Times decide only between errors of which nothing
 * else is known: the clocks of two hosts differ. The events are in time order.
 */
export function firstError(events: readonly Timed[], tree: SpanTree | undefined): FirstError | undefined {
  const errors = errorCauses(
    choose(
      events.filter(({ event }) => isError(event)),
      tree,
    ),
    tree,
  );
  if (errors.length === 0) return undefined;
  const first = endOfCauses(outermostOf(errors));
  const { by, all } = consequencesOf(first, errors);
  return { ...errorLine(first), by, consequences: all.slice(0, maxConsequences).map(errorLine) };
}

function errorLine({ event, text }: RequestError): ErrorLine {
  const cause = innermostCause(text);
  return { ...lineOf(event), ...(cause === undefined ? {} : { cause }) };
}

/** Of many errors, the earliest, those of the deepest spans, and the latest of the outermost spans; of equal ones the first. */
function choose(errors: readonly Timed[], tree: SpanTree | undefined): Timed[] {
  const distinct = new Map<string, Timed>();
  for (const error of errors) {
    const key = `${error.event.service}\0${error.event.message}`;
    if (!distinct.has(key)) distinct.set(key, error);
  }
  const all = [...distinct.values()];
  if (all.length <= 100) return all;
  const depth = ({ event }: Timed): number => tree?.of(event)?.depth ?? 0;
  const deepest = all.toSorted((a, b) => depth(b) - depth(a));
  const outermost = all.toReversed().sort((a, b) => depth(a) - depth(b));
  const chosen = new Set([...all.slice(0, 40), ...deepest.slice(0, 40), ...outermost.slice(0, 20)]);
  return all.filter((error) => chosen.has(error));
}

/** The last error that no other follows from, of the span nearest to the root; if no error follows from another, the earliest. */
function outermostOf(errors: readonly RequestError[]): RequestError {
  const causes = new Set(errors.flatMap((error) => [...causesOf(error).errors]));
  const ends = errors.filter((error) => !causes.has(error) && causesOf(error).errors.size > 0);
  return ends.toSorted((a, b) => depthOf(a) - depthOf(b) || b.at - a.at)[0] ?? errors[0]!;
}

function endOfCauses(outermost: RequestError): RequestError {
  const reached = new Set([outermost]);
  const ends: RequestError[] = [];
  // Those that are added meanwhile are visited too.
  for (const error of reached) {
    const { errors } = causesOf(error);
    for (const cause of errors) reached.add(cause);
    if (errors.size === 0) ends.push(error);
  }
  // In a ring of causes there is no end.
  return ends.toSorted((a, b) => depthOf(b) - depthOf(a) || a.at - b.at)[0] ?? outermost;
}

/** The errors that follow from the first one, nearest first, and what says so of the nearest. */
function consequencesOf(
  first: RequestError,
  errors: readonly RequestError[],
): { by: FirstError['by']; all: RequestError[] } {
  const reached = new Set([first]);
  let by: FirstError['by'] = 'time';
  for (const cause of reached)
    for (const effect of errors) {
      const { errors: causes, kind } = causesOf(effect);
      if (!causes.has(cause)) continue;
      if (cause === first && by !== 'causes') by = kind;
      reached.add(effect);
    }
  reached.delete(first);
  return { by, all: [...reached] };
}

function depthOf({ span }: RequestError): number {
  return span?.depth ?? 0;
}

/** What an error follows from, by the strongest that says so. */
function causesOf({ causes }: RequestError): { errors: Set<RequestError>; kind: FirstError['by'] } {
  const index = Math.max(
    0,
    causes.findIndex(({ size }) => size > 0),
  );
  return { errors: causes[index]!, kind: kinds[index]! };
}

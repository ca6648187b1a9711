import { CorrelationSubject, FilterSubject } from '@logloom/filter';
import {
  isCanaryDocument,
  isCanaryEvent,
  isLoadtestDocument,
  isLoadtestEvent,
  type Correlation,
  type PlacedEvent,
} from '@logloom/schemas';
import type { RuleSet } from '../parse-rules.ts';
import { WindowEvaluator, type OrderedChange } from './window-evaluator.ts';
import { WindowInput } from './window-input.ts';

const cutMs = 1000;

interface Input {
  counted: WindowInput;
  rules: RuleSet | null;
  sinceMs: number;
  clockMs: number;
}

/** Runs rules over many events on logs that are at hand, in one process: to try rules, and over the past. */
export class WindowRun {
  readonly #evaluator: WindowEvaluator;
  readonly #inputs: (Input | undefined)[];

  constructor(inputs = 1) {
    this.#evaluator = new WindowEvaluator(inputs);
    this.#inputs = Array.from({ length: inputs }, () => undefined);
  }

  get evaluator(): WindowEvaluator {
    return this.#evaluator;
  }

  /** The rules in force on an input from this time (ms) on. */
  *setRules(input: number, rules: RuleSet | null, timeMs: number): Generator<OrderedChange> {
    yield* this.#cut(input, timeMs);
    this.#inputs[input] = {
      counted: new WindowInput(rules?.windows ?? []),
      rules,
      sinceMs: timeMs,
      clockMs: timeMs,
    };
  }

  /** Not for events of a backfill: they happened earlier. */
  addEvent(input: number, event: PlacedEvent, timeMs: number): void {
    const counted = this.#inputs[input]?.counted;
    if (counted?.looksAtEvents === true && countsEvent(event))
      counted.addEvent(new FilterSubject(event), timeMs);
  }

  addRequest(input: number, document: Correlation, timeMs: number): void {
    const counted = this.#inputs[input]?.counted;
    if (counted?.looksAtRequests === true && countsRequest(document))
      counted.addRequest(new CorrelationSubject(document), timeMs);
  }

  /** Everything that comes later on this input is at this time or after it, ms. */
  *advance(input: number, timeMs: number): Generator<OrderedChange> {
    const state = this.#inputs[input];
    if (state !== undefined && timeMs >= state.clockMs + cutMs) yield* this.#cut(input, timeMs);
  }

  /** No input has more: what is due up to this time is judged. */
  *end(timeMs: number): Generator<OrderedChange> {
    for (const input of this.#inputs.keys()) yield* this.#cut(input, timeMs);
    yield* this.#evaluator.end(timeMs);
  }

  *#cut(input: number, timeMs: number): Generator<OrderedChange> {
    const state = this.#inputs[input];
    if (state === undefined) return;
    const { counted, rules, sinceMs } = state;
    state.clockMs = timeMs;
    const contributions = counted.take();
    yield* this.#evaluator.add({
      input,
      clockMs: timeMs,
      rules,
      sinceMs,
      contributions,
      dropped: counted.takeDropped(),
    });
  }
}

/** Whether rules over many events look at an event: nobody is to be called for a canary or a load test. */
export function countsEvent(event: PlacedEvent): boolean {
  return !isCanaryEvent(event) && !isLoadtestEvent(event);
}

/** Whether they look at a document: each request counts once, as it was when it closed first, unless it happened earlier. */
export function countsRequest(document: Correlation): boolean {
  const { revision, backfill, joinedInto } = document;
  // The request that it joined counts.
  const isJoined = joinedInto !== null && joinedInto !== undefined;
  const isForUsers = !isCanaryDocument(document) && !isLoadtestDocument(document);
  return revision === 1 && !backfill && !isJoined && isForUsers;
}

import { CorrelationSubject, type FilterSubject } from '@logloom/filter';
import type { WindowRule } from '../window/window-rule.ts';
import { keyText, maxExamples, type Contribution, type Example } from './contribution.ts';
import { addToSlot, emptySlot } from './slots.ts';

/** Keys of one rule in one cut beyond this many are not counted: they would not fit into memory later either. */
export const maxKeysPerCut = 50_000;
/** Combinations of the values of lists in one event. */
const maxKeysPerEvent = 16;

interface Counted {
  rule: WindowRule;
  byKey: Map<string, Contribution>;
  /** That of the last one: most events of a cut are in the same step. */
  step: number;
  steps: Map<number, Map<string, Contribution>>;
  keys: number;
}

/**
 * Tests the events and requests of one input against rules, and adds up what they contribute to each key and step. A function of what was
 * added since the last take().
 */
export class WindowInput {
  readonly #events: Counted[];
  readonly #requests: Counted[];
  /** Rules that had too many keys to count all. */
  readonly #dropped = new Set<string>();

  constructor(rules: readonly WindowRule[]) {
    const counted = (of: WindowRule['of']): Counted[] =>
      rules
        .filter((rule) => rule.of === of)
        .map((rule) => ({ rule, byKey: new Map(), step: Number.NaN, steps: new Map(), keys: 0 }));
    this.#events = counted('events');
    this.#requests = counted('requests');
  }

  get looksAtEvents(): boolean {
    return this.#events.length > 0;
  }

  get looksAtRequests(): boolean {
    return this.#requests.length > 0;
  }

  /** `subject`: of a PlacedEvent. `timeMs`: the log's. */
  addEvent(subject: FilterSubject, timeMs: number): void {
    for (const counted of this.#events) this.#add(counted, subject, timeMs);
  }

  /** `subject`: a CorrelationSubject. */
  addRequest(subject: FilterSubject, timeMs: number): void {
    for (const counted of this.#requests) this.#add(counted, subject, timeMs);
  }

  /** What was added since the last call. */
  take(): Contribution[] {
    const all: Contribution[] = [];
    for (const counted of [...this.#events, ...this.#requests]) {
      for (const byKey of counted.steps.values()) for (const each of byKey.values()) all.push(each);
      if (counted.steps.size > 0) counted.steps = new Map();
      counted.step = Number.NaN;
      counted.keys = 0;
    }
    return all;
  }

  /** The ids of rules that had too many keys to count all since the last call. */
  takeDropped(): string[] {
    const all = [...this.#dropped];
    this.#dropped.clear();
    return all;
  }

  #add(counted: Counted, subject: FilterSubject, timeMs: number): void {
    const { rule } = counted;
    if (!rule.when(subject)) return;
    const step = Math.floor(timeMs / rule.stepMs);
    if (step !== counted.step) {
      let byKey = counted.steps.get(step);
      if (byKey === undefined) {
        byKey = new Map<string, Contribution>();
        counted.steps.set(step, byKey);
      }
      counted.byKey = byKey;
      counted.step = step;
    }
    const { by } = rule;
    if (by.length === 0) this.#count(counted, [], subject, timeMs);
    else if (by.length === 1) {
      const values = by[0]!.values(subject);
      if (values.length === 1) this.#count(counted, values, subject, timeMs);
      else for (const value of new Set(values)) this.#count(counted, [value], subject, timeMs);
    } else for (const key of combinations(rule, subject)) this.#count(counted, key, subject, timeMs);
  }

  #count(counted: Counted, key: readonly string[], subject: FilterSubject, timeMs: number): void {
    const { rule, byKey, step } = counted;
    const { event } = subject;
    const text = keyText(key);
    let found = byKey.get(text);
    if (found === undefined) {
      if (counted.keys >= maxKeysPerCut) {
        this.#dropped.add(rule.id);
        return;
      }
      counted.keys++;
      found = { rule: rule.id, key, step, count: 0, slots: rule.columns.map(emptySlot), examples: [] };
      byKey.set(text, found);
    }
    found.count++;
    const { columns } = rule;
    for (let i = 0; i < columns.length; i++)
      found.slots[i] = addToSlot(columns[i]!, found.slots[i]!, subject, event);
    if (rule.example === null || rule.example(subject))
      pushExample(found.examples as Example[], [timeMs, event.partition, event.offset, idOf(subject)]);
  }
}

function* combinations(rule: WindowRule, subject: FilterSubject): Generator<string[]> {
  let keys: string[][] = [[]];
  for (const { values } of rule.by) {
    const different = [...new Set(values(subject))];
    keys = keys.flatMap((key) => different.map((value) => [...key, value])).slice(0, maxKeysPerEvent);
  }
  yield* keys;
}

function idOf(subject: FilterSubject): string {
  if (subject instanceof CorrelationSubject) return subject.document.correlationId;
  return subject.event.correlationId ?? subject.event.id;
}

/** Keeps the latest ones, each id once. */
function pushExample(examples: Example[], example: Example): void {
  const known = examples.findIndex((each) => each[3] === example[3]);
  if (known >= 0) examples.splice(known, 1);
  examples.push(example);
  if (examples.length > maxExamples) examples.shift();
}

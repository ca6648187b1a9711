import type { FilterSubject } from '@logloom/filter';
import { higherSeverity, type Rule, type RuleSet, type Sequence, type Severity } from '@logloom/rules';
import type { Waits, WaitNode } from './waits.ts';

/** The progress of a rule in a session. Created when the first event passes it. */
interface Progress {
  /** Events that passed `when`. */
  count: number;
  distinct: Set<string> | null;
  /** Timestamps (µs), ascending, of the events that passed `when` and of those that passed what follows; null before the first. */
  first: number[] | null;
  next: number[] | null;
  /** The events that passed `when` and were not yet followed by another. */
  waits: WaitNode<unknown>[];
}

/** A timestamp in two lists, or a value's place in a set. */
const bytesPerPart = 32;

/** What a rule demands of the session: to close, finally or not. */
export type CloseRequest = boolean | 'final';

/**
 * The rules of one session: those in force at its first event, for its whole life. A function of its events, in log order, and of the
 * expired waits.
 */
export class SessionRules {
  readonly set: RuleSet;
  /** In the order in which they matched. */
  readonly matched: Rule[] = [];
  /** How many of them are in a written revision. */
  announced = 0;
  /** Its estimated memory, in bytes. Data that a match releases still counts, so that the estimate does not depend on when it is read. */
  bytes = 200;
  #progress: (Progress | undefined)[] | null = null;
  #waiting = 0;

  constructor(set: RuleSet) {
    this.set = set;
  }

  /** Whether a rule still waits for an absence. */
  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  /** Adds a member. `open` opens a wait for a rule, at a member's timestamp (µs). */
  observe(
    subject: FilterSubject,
    waits: Waits<unknown>,
    open: (rule: Rule, sequence: Sequence, timestamp: number) => WaitNode<unknown>,
  ): CloseRequest {
    let close: CloseRequest = false;
    for (const rule of this.set.rules) {
      const isDone = this.matched.includes(rule);
      if (isDone && rule.close === false) continue;
      const holds =
        rule.sequence === null
          ? this.#counts(rule, subject, isDone)
          : !isDone && this.#follows(rule, rule.sequence, subject, waits, open);
      if (!holds) continue;
      if (!isDone) this.#match(rule, waits);
      if (rule.close === 'final' || close === false) close = rule.close;
    }
    return close;
  }

  /** A wait of the rule expired: the event that it waited for did not arrive. */
  ranOut(rule: Rule, waits: Waits<unknown>): void {
    this.#match(rule, waits);
  }

  /** No further event is expected: the rules that still wait for one match. */
  settle(waits: Waits<unknown>): void {
    if (this.#waiting === 0) return;
    for (const rule of this.set.rules)
      if ((this.#progress?.[rule.index]?.waits.length ?? 0) > 0) this.ranOut(rule, waits);
  }

  /** Applies the rules that a written document names. */
  asWritten(names: readonly string[], waits: Waits<unknown>): void {
    for (const name of names) {
      const rule = this.set.rules.find((each) => each.name === name);
      if (rule !== undefined && !this.matched.includes(rule)) this.#match(rule, waits);
    }
    this.announced = this.matched.length;
  }

  /** Ends all waits. */
  stop(waits: Waits<unknown>): void {
    if (this.#waiting > 0) for (const progress of this.#progress ?? []) this.#stopWaits(progress, waits);
  }

  /** Its session has no members of its own any more: what matched is announced by nobody. */
  end(waits: Waits<unknown>): void {
    this.stop(waits);
    this.announced = this.matched.length;
  }

  get severity(): Severity | null {
    return this.matched.reduce<Severity | null>(
      (highest, { severity }) => higherSeverity(highest, severity),
      null,
    );
  }

  /** By name, so that equal labels are equal bytes. */
  get labels(): Record<string, string> {
    const labels = new Map<string, string>();
    for (const rule of this.matched.toSorted((a, b) => a.index - b.index))
      for (const [name, value] of Object.entries(rule.labels)) labels.set(name, value);
    return Object.fromEntries([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The alerts of the next revision. */
  get newAlerts(): Rule[] {
    return this.matched.slice(this.announced).filter((rule) => rule.alert);
  }

  #match(rule: Rule, waits: Waits<unknown>): void {
    this.matched.push(rule);
    this.#stopWaits(this.#progress?.[rule.index], waits);
    // The progress toward the match is no longer needed, unless the rule can close the session again.
    if (this.#progress !== null && rule.close === false) this.#progress[rule.index] = undefined;
  }

  #counts(rule: Rule, subject: FilterSubject, isDone: boolean): boolean {
    if (!rule.when(subject)) return false;
    if (isDone || (rule.count === 1 && rule.distinct === null)) return true;
    const progress = this.#of(rule);
    progress.count++;
    if (rule.distinct !== null) {
      progress.distinct ??= new Set();
      for (const value of rule.distinct.values(subject))
        if (progress.distinct.size < rule.distinct.count && !progress.distinct.has(value)) {
          progress.distinct.add(value);
          this.bytes += 2 * bytesPerPart + 2 * value.length;
        }
      if (progress.distinct.size < rule.distinct.count) return false;
    }
    return progress.count >= rule.count;
  }

  /** Uses the events' own timestamps, so that it does not matter which of two services ships its logs faster. */
  #follows(
    rule: Rule,
    sequence: Sequence,
    subject: FilterSubject,
    waits: Waits<unknown>,
    open: (rule: Rule, sequence: Sequence, timestamp: number) => WaitNode<unknown>,
  ): boolean {
    const isFirst = rule.when(subject);
    const isNext = sequence.next(subject);
    if (!isFirst && !isNext) return false;
    const { timestamp } = subject.event;
    const { withinMicros } = sequence;
    const progress = this.#of(rule);
    this.bytes += bytesPerPart;
    if (sequence.kind === 'then') {
      const follows = isNext && hasWithin(progress.first, timestamp - withinMicros, timestamp);
      // With equal timestamps the order of the log counts.
      const isFollowed = isFirst && hasWithin(progress.next, timestamp + 1, timestamp + withinMicros);
      if (follows || isFollowed) return true;
      if (isFirst) progress.first = inserted(progress.first, timestamp);
      if (isNext) progress.next = inserted(progress.next, timestamp);
      return false;
    }
    if (isNext) {
      progress.waits = progress.waits.filter((node) => {
        const { sinceMicros } = node.value;
        if (sinceMicros > timestamp || timestamp - sinceMicros > withinMicros) return true;
        waits.remove(node);
        this.#waiting--;
        return false;
      });
    }
    if (isFirst && !hasWithin(progress.next, timestamp + 1, timestamp + withinMicros)) {
      this.bytes += 6 * bytesPerPart;
      progress.waits.push(open(rule, sequence, timestamp));
      this.#waiting++;
    }
    if (isNext) progress.next = inserted(progress.next, timestamp);
    return false;
  }

  #of(rule: Rule): Progress {
    this.#progress ??= [];
    if (this.#progress[rule.index] === undefined) this.bytes += 5 * bytesPerPart;
    return (this.#progress[rule.index] ??= { count: 0, distinct: null, first: null, next: null, waits: [] });
  }

  #stopWaits(progress: Progress | undefined, waits: Waits<unknown>): void {
    for (const node of progress?.waits ?? []) {
      waits.remove(node);
      this.#waiting--;
    }
    if (progress !== undefined) progress.waits = [];
  }
}

/** Whether one of the ascending numbers is in [min, max]. */
function hasWithin(sorted: readonly number[] | null, min: number, max: number): boolean {
  if (sorted === null) return false;
  const at = lowerBound(sorted, min);
  return at < sorted.length && sorted[at]! <= max;
}

/** The same list with the value at its place. A list that begins as a literal has room for one value only, which is enough for most. */
function inserted(sorted: number[] | null, value: number): number[] {
  if (sorted === null) return [value];
  if (sorted.at(-1)! <= value) sorted.push(value);
  else sorted.splice(lowerBound(sorted, value), 0, value);
  return sorted;
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

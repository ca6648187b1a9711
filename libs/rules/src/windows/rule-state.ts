import type { WindowRule } from '../window/window-rule.ts';
import { keyText, type Contribution } from './contribution.ts';
import { addStep, dropSteps, mergeContributions, newKey, type KeyState, type Stage } from './key-state.ts';
import { dayMs, holds, judgesSilence, shownValue, stepsBack, totalOf, type Totals } from './judge.ts';
import { matchSequence, placeOf, type SteppedMark } from './match-sequence.ts';
import type { Mark } from './slots.ts';

/** A change of one key's alert. */
export interface StageChange {
  rule: WindowRule;
  key: readonly string[];
  state: Exclude<Stage, 'inactive'> | 'resolved';
  /** The window that was judged ends here; ms of log time. */
  atMs: number;
  startsMs: number;
  value: number | null;
  count: number;
  examples: readonly string[];
}

/** RuleState as plain data. */
export interface RuleSnapshot {
  id: string;
  sinceMs: number | undefined;
  keys: KeyState[];
  pending: [number, Contribution[]][];
  due: [number, string[]][];
}

/** The keys of one rule, and when they have to be judged. */
export class RuleState {
  readonly rule: WindowRule;
  /** When the rule came into force, ms of log time; undefined while only contributions came. */
  sinceMs: number | undefined;
  bytes = 0;
  readonly #window: number;
  readonly #back: number;
  readonly #judgesSilence: boolean;
  readonly #keepsKeys: boolean;
  readonly #keys = new Map<string, KeyState>();
  /** What came for steps that were not judged yet. */
  readonly #pending = new Map<number, Map<string, Contribution>>();
  /** The keys that have to be judged at a time, ms. */
  readonly #due = new Map<number, KeyState[]>();
  /** The earliest time that is due; undefined while it is not known. */
  #nextMs: number | undefined;

  constructor(rule: WindowRule) {
    this.rule = rule;
    this.#window = rule.windowMs / rule.stepMs;
    this.#back = stepsBack(rule);
    this.#judgesSilence = judgesSilence(rule.condition);
    this.#keepsKeys = this.#judgesSilence || rule.condition.some(({ type }) => type === 'new');
  }

  /** Whether the rule can fire because nothing, or less, comes. */
  get judgesSilence(): boolean {
    return this.#judgesSilence;
  }

  get keys(): number {
    return this.#keys.size;
  }

  /** How many keys are in this stage. */
  inStage(stage: Stage): number {
    let count = 0;
    for (const state of this.#keys.values()) if (state.stage === stage) count++;
    return count;
  }

  add(contribution: Contribution): void {
    const { step, key } = contribution;
    let byKey = this.#pending.get(step);
    if (byKey === undefined) {
      byKey = new Map<string, Contribution>();
      this.#pending.set(step, byKey);
    }
    const text = keyText(key);
    const known = byKey.get(text);
    if (known === undefined) byKey.set(text, contribution);
    else mergeContributions(this.rule, known, contribution);
    this.#sooner((step + 1) * this.rule.stepMs);
  }

  /** The rule is in force from this time on. `ownsKeyless`: whether the key that a rule without fields has is judged here. */
  begin(sinceMs: number, ownsKeyless: boolean): void {
    this.sinceMs = sinceMs;
    // It exists also if nothing ever comes.
    if (this.rule.by.length > 0 || !this.#judgesSilence || !ownsKeyless) return;
    const state = this.#keyOf([]);
    this.#schedule(state, this.#ceil(sinceMs) + this.rule.windowMs);
  }

  /** The next time (ms) at which something has to be judged; undefined: nothing is due. */
  get nextMs(): number | undefined {
    if (this.sinceMs === undefined) return undefined;
    if (this.#nextMs === undefined) {
      let nextMs = Infinity;
      for (const step of this.#pending.keys()) nextMs = Math.min(nextMs, (step + 1) * this.rule.stepMs);
      for (const atMs of this.#due.keys()) nextMs = Math.min(nextMs, atMs);
      this.#nextMs = nextMs;
    }
    return this.#nextMs === Infinity ? undefined : this.#nextMs;
  }

  /** Judges what is due at this time; nothing was due before. */
  *judge(atMs: number): Generator<StageChange> {
    const { stepMs } = this.rule;
    this.#nextMs = undefined;
    const step = atMs / stepMs - 1;
    const due = this.#due.get(atMs) ?? [];
    this.#due.delete(atMs);
    const parts = this.#pending.get(step);
    this.#pending.delete(step);
    for (const [text, part] of parts ?? []) {
      const state = this.#keys.get(text) ?? this.#keyOf(part.key, text);
      this.bytes += addStep(state, step, part);
      due.push(state);
      this.#scheduleFor(state, step, atMs);
    }
    const changes: { text: string; change: StageChange }[] = [];
    for (const state of due) {
      // It may be due for several reasons, or forgotten.
      if (state.judgedMs === atMs || this.#keys.get(state.text) !== state) continue;
      state.judgedMs = atMs;
      this.bytes -= dropSteps(state, step - this.#back + 1);
      const judged =
        this.rule.sequence === null
          ? this.#judgeKey(state, atMs, step)
          : this.#judgeSequence(state, atMs, step);
      for (const change of judged) changes.push({ text: state.text, change });
      for (const change of this.#leave(state, atMs)) changes.push({ text: state.text, change });
    }
    // By their keys: the order in which they came is not that of the log.
    for (const { change } of changes.sort(byText)) yield change;
  }

  /** The rule is no longer in force: what is open is resolved. */
  *end(atMs: number): Generator<StageChange> {
    for (const state of [...this.#keys.values()].sort(byText))
      if (state.stage !== 'inactive') yield this.#change(state, 'resolved', atMs, null, 0);
  }

  /** Forgets the keys that were silent longest, until at most so many bytes are used. Returns how many. */
  *evict(most: number, atMs: number): Generator<StageChange, number> {
    let evicted = 0;
    const oldest = [...this.#keys.values()].sort(
      (a, b) =>
        Number(a.stage !== 'inactive') - Number(b.stage !== 'inactive') ||
        a.lastStep - b.lastStep ||
        byText(a, b),
    );
    for (const state of oldest) {
      if (this.bytes <= most) break;
      if (state.stage !== 'inactive') yield this.#change(state, 'resolved', atMs, null, 0);
      this.#forget(state);
      evicted++;
    }
    return evicted;
  }

  /** All that a restart needs, as plain data. */
  get snapshot(): RuleSnapshot {
    return {
      id: this.rule.id,
      sinceMs: this.sinceMs,
      keys: [...this.#keys.values()],
      pending: [...this.#pending].map(([step, byKey]) => [step, [...byKey.values()]]),
      due: [...this.#due].map(([atMs, states]) => [atMs, states.map(({ text }) => text)]),
    };
  }

  static restored(rule: WindowRule, { sinceMs, keys, pending, due }: RuleSnapshot): RuleState {
    const state = new RuleState(rule);
    state.sinceMs = sinceMs;
    for (const key of keys) {
      state.#keys.set(key.text, key);
      state.bytes += key.bytes;
    }
    for (const [step, parts] of pending)
      state.#pending.set(step, new Map(parts.map((part) => [keyText(part.key), part])));
    for (const [atMs, texts] of due)
      state.#due.set(
        atMs,
        texts.map((text) => state.#keys.get(text)).filter((key) => key !== undefined),
      );
    return state;
  }

  #keyOf(key: readonly string[], text = keyText(key)): KeyState {
    const state = newKey(key, text);
    this.#keys.set(text, state);
    this.bytes += state.bytes;
    return state;
  }

  *#judgeKey(state: KeyState, atMs: number, step: number): Generator<StageChange> {
    const { rule } = this;
    const { windowMs, stepMs } = rule;
    const total = (shift: number) =>
      totalOf(rule, state.steps, step - shift - this.#window + 1, step - shift);
    const now = total(0);
    const totals: Totals = {
      now,
      previous: () => total(this.#window),
      yesterday: () => total(dayMs / stepMs),
      isNew: this.#isNew(state, step),
      windowMs,
      hasSeen: (beforeMs) => this.#ceil(this.sinceMs!) + beforeMs + windowMs <= atMs,
    };
    const isKnown = !this.#judgesSilence || this.#knownSinceMs(state) + windowMs <= atMs;
    const begins = isKnown && holds(rule.condition, totals);
    const isEmpty = now.count === 0 && !this.#judgesSilence;
    const value = shownValue(rule.condition, now, windowMs);
    switch (state.stage) {
      case 'inactive': {
        if (!begins) return;
        state.sinceMs = atMs;
        if (rule.forMs === 0) yield this.#change(state, 'firing', atMs, value, now.count);
        else {
          yield this.#change(state, 'pending', atMs, value, now.count);
          this.#schedule(state, this.#ceil(atMs + rule.forMs));
        }
        return;
      }
      case 'pending': {
        if (!begins) yield this.#change(state, 'resolved', atMs, value, now.count);
        else if (atMs >= state.sinceMs + rule.forMs)
          yield this.#change(state, 'firing', atMs, value, now.count);
        return;
      }
      case 'firing': {
        const isOver = isEmpty || (rule.until === null ? !begins : holds(rule.until, totals));
        if (isOver) yield this.#change(state, 'resolved', atMs, value, now.count);
      }
    }
  }

  *#judgeSequence(state: KeyState, atMs: number, step: number): Generator<StageChange> {
    const marks: SteppedMark[] = [];
    for (const { step: each, slots } of state.steps)
      for (const mark of slots[0] as Mark[]) marks.push({ mark, step: each });
    const places = new Set(marks.map(({ mark }) => placeOf(mark)));
    const matched = (state.matched ??= new Set());
    for (const place of matched) if (!places.has(place)) matched.delete(place);
    const fresh = matchSequence(this.rule, marks, atMs).filter((mark) => !matched.has(placeOf(mark)));
    const count = totalOf(this.rule, state.steps, step - this.#window + 1, step).count;
    for (const mark of fresh) matched.add(placeOf(mark));
    if (fresh.length > 0) {
      state.matchedMs = atMs;
      this.#schedule(state, this.#ceil(atMs + this.rule.resolveMs));
      state.matches = (state.stage === 'firing' ? state.matches : 0) + fresh.length;
      if (state.stage === 'firing') return;
      state.sinceMs = atMs;
      yield this.#change(state, 'firing', atMs, state.matches, count);
    } else if (state.stage === 'firing' && state.matchedMs + this.rule.resolveMs <= atMs)
      yield this.#change(state, 'resolved', atMs, state.matches, count);
  }

  #change(
    state: KeyState,
    to: StageChange['state'],
    atMs: number,
    value: number | null,
    count: number,
  ): StageChange {
    state.stage = to === 'resolved' ? 'inactive' : to;
    const examples = state.examples.map(([, , , id]) => id);
    return {
      rule: this.rule,
      key: state.key,
      state: to,
      atMs,
      startsMs: state.sinceMs,
      value,
      count,
      examples,
    };
  }

  /** When what came in a step may change the outcome: now, and when it leaves the window and those that are compared with it. */
  #scheduleFor(state: KeyState, step: number, atMs: number): void {
    const { stepMs } = this.rule;
    for (const steps of this.#shifts) this.#schedule(state, (step + 1 + steps) * stepMs);
    if (!this.#keepsKeys || state.firstStep !== step || this.rule.by.length === 0) return;
    const knownMs = this.#knownSinceMs(state) + this.rule.windowMs;
    if (knownMs > atMs) this.#schedule(state, knownMs);
    state.leaveMs = this.#ceil(atMs + this.rule.forgetMs);
    this.#schedule(state, state.leaveMs);
  }

  get #shifts(): number[] {
    const window = this.#window;
    if (this.#back === window) return [window];
    const other = this.#back - window;
    return [...new Set([window, other, this.#back])];
  }

  /** Forgets a key of which nothing is left, or that was silent for too long. */
  *#leave(state: KeyState, atMs: number): Generator<StageChange> {
    const { by, stepMs, forgetMs } = this.rule;
    if (!this.#keepsKeys) {
      if (state.stage === 'inactive' && state.steps.length === 0) this.#forget(state);
      return;
    }
    if (by.length === 0 || atMs < state.leaveMs) return;
    state.leaveMs = this.#ceil((state.lastStep + 1) * stepMs + forgetMs);
    if (state.leaveMs > atMs) {
      this.#schedule(state, state.leaveMs);
      return;
    }
    if (state.stage !== 'inactive') yield this.#change(state, 'resolved', atMs, null, 0);
    this.#forget(state);
  }

  /** Whether its first event is in the window, and came when the rule had seen a whole window. */
  #isNew(state: KeyState, step: number): boolean {
    const { stepMs, windowMs } = this.rule;
    return state.firstStep > step - this.#window && state.firstStep * stepMs >= this.sinceMs! + windowMs;
  }

  #knownSinceMs(state: KeyState): number {
    const { stepMs } = this.rule;
    if (this.rule.by.length === 0) return this.#ceil(this.sinceMs!);
    return Math.max(this.#ceil(this.sinceMs!), state.firstStep * stepMs);
  }

  #forget(state: KeyState): void {
    this.#keys.delete(state.text);
    this.bytes -= state.bytes;
  }

  #schedule(state: KeyState, atMs: number): void {
    let due = this.#due.get(atMs);
    if (due === undefined) this.#due.set(atMs, (due = []));
    // One after the other, the same key is often due for several reasons.
    if (due.at(-1) !== state) due.push(state);
    this.#sooner(atMs);
  }

  #sooner(atMs: number): void {
    if (this.#nextMs !== undefined && atMs < this.#nextMs) this.#nextMs = atMs;
  }

  #ceil(ms: number): number {
    const { stepMs } = this.rule;
    return Math.ceil(ms / stepMs) * stepMs;
  }
}

function byText(a: { text: string }, b: { text: string }): number {
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

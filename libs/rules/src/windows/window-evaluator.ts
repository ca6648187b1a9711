import type { RuleSet } from '../parse-rules.ts';
import type { WindowRule } from '../window/window-rule.ts';
import type { Contribution } from './contribution.ts';
import { RuleState, type RuleSnapshot, type StageChange } from './rule-state.ts';

/** What one input says for one part of its records. */
export interface Cut {
  /** A partition of logs.events, from 0. */
  input: number;
  /** Everything that this input says later is at this time of the log or after it, ms. */
  clockMs: number;
  /** The rules in force in this part; null for none. */
  rules: RuleSet | null;
  /** Where this part begins in time, ms. */
  sinceMs: number;
  contributions: readonly Contribution[];
  /** The ids of rules that had too many keys to count all. */
  dropped?: readonly string[];
}

/** A change of an alert's state, with its place in the order of changes: (atMs, index) only grows. */
export interface OrderedChange extends StageChange {
  index: number;
  rulesVersion: string;
}

/** What `rules` reports of one rule. */
export interface RuleStatus {
  name: string;
  id: string;
  keys: number;
  pending: number;
  firing: number;
  bytes: number;
}

/** How long (ms) after the last eviction a rule's memory counts as enough again. */
const limitResolveMs = 900_000;
/** An eviction frees a little more than it must, so that it is not needed at each step. */
const evictTo = 0.9;

interface Input {
  clockMs: number;
  version: string;
}

/** A rule whose memory is not enough; `isTold`: whether its alert fires. */
interface Limited {
  sinceMs: number;
  lastMs: number;
  isTold: boolean;
}

interface VersionChange {
  sinceMs: number;
  input: number;
  version: string;
}

/** A release that keeps other data of a key raises it: a state of another format is not read, and rules begin anew. */
export const snapshotFormat = 1;

/** The rule that tells of rules whose memory is not enough. */
export const limitRule = 'logloom-rule-limit';

/** Which keys an evaluator is about. */
export interface EvaluatorPart {
  part: number;
  /** How many parts share the keys, and the rules' memory. */
  parts: number;
  /** Whether the only key of a rule without key fields is of this part: nothing may ever come that would say so. */
  ownsKeyless: (rule: string) => boolean;
}

const everything: EvaluatorPart = { part: 0, parts: 1, ownsKeyless: () => true };

/**
 * Judges rules over what all inputs say of some keys. A time is judged once every input has passed it, so the changes depend on what the inputs
 * say and not on who says it first. No clock, no I/O.
 */
export class WindowEvaluator {
  readonly #part: EvaluatorPart;
  readonly #inputs: (Input | undefined)[];
  readonly #sets = new Map<string, RuleSet>();
  readonly #states = new Map<string, RuleState>();
  #changes: VersionChange[] = [];
  /** Per input, the version whose rules are in force as far as was judged. */
  readonly #inForce: string[];
  #limited = new Map<string, Limited>();
  #judgedMs = 0;
  /** The time of the last change, and how many changes it has. */
  #changedMs = -1;
  #index = 0;
  /** Keys that were forgotten because of memory. */
  evicted = 0;

  /** `inputs`: how many inputs there are. */
  constructor(inputs: number, part: EvaluatorPart = everything) {
    this.#part = part;
    this.#inputs = Array.from({ length: inputs }, () => undefined);
    this.#inForce = Array.from({ length: inputs }, () => '');
  }

  /** Everything before this time (ms) was judged. */
  get judgedMs(): number {
    return this.#judgedMs;
  }

  get status(): RuleStatus[] {
    return [...this.#states.values()]
      .filter(({ sinceMs }) => sinceMs !== undefined)
      .map((state) => ({
        name: state.rule.name,
        id: state.rule.id,
        keys: state.keys,
        pending: state.inStage('pending'),
        firing: state.inStage('firing'),
        bytes: state.bytes,
      }));
  }

  /** The files whose rules are known. */
  get ruleSets(): RuleSet[] {
    return [...this.#sets.values()];
  }

  get keys(): number {
    let keys = 0;
    for (const state of this.#states.values()) keys += state.keys;
    return keys;
  }

  get bytes(): number {
    let bytes = 0;
    for (const state of this.#states.values()) bytes += state.bytes;
    return bytes;
  }

  /** Takes what an input says, and returns the changes that are certain with it, in order. */
  *add(cut: Cut): Generator<OrderedChange> {
    const { input, rules, sinceMs, clockMs } = cut;
    const version = rules?.version ?? '';
    if (rules !== null && !this.#sets.has(version)) this.#sets.set(version, rules);
    const before = this.#inputs[input];
    if (before?.version !== version) this.#changes.push({ sinceMs, input, version });
    this.#inputs[input] = { clockMs: Math.max(clockMs, before?.clockMs ?? 0), version };
    for (const contribution of cut.contributions) this.#stateOf(rules, contribution.rule)?.add(contribution);
    for (const id of cut.dropped ?? []) {
      const state = this.#stateOf(rules, id);
      if (state !== undefined) this.#noteLimit(state.rule.name, clockMs);
    }
    yield* this.#judgeUpTo(this.#watermarkMs());
  }

  /**
   * All inputs have ended at this time, ms: judges everything up to it, and the steps that it is in. Only what is about silence is not judged
   * further: nobody knows whether more would have come.
   */
  *end(untilMs: number): Generator<OrderedChange> {
    yield* this.#judgeUpTo(untilMs);
    const last = ({ rule, judgesSilence }: RuleState): number =>
      judgesSilence ? untilMs : (Math.floor(untilMs / rule.stepMs) + 1) * rule.stepMs;
    for (;;) {
      const due = [...this.#states.values()].filter((state) => (state.nextMs ?? Infinity) <= last(state));
      if (due.length === 0) return;
      const nextMs = Math.min(...due.map((state) => state.nextMs!));
      yield* this.#judgeAt(nextMs, (state) => due.includes(state));
    }
  }

  #watermarkMs(): number {
    let watermark = Infinity;
    for (const input of this.#inputs) watermark = Math.min(watermark, input?.clockMs ?? -Infinity);
    return watermark;
  }

  *#judgeUpTo(watermarkMs: number): Generator<OrderedChange> {
    this.#changes.sort((a, b) => a.sinceMs - b.sinceMs || a.input - b.input);
    for (;;) {
      let nextMs = Infinity;
      for (const state of this.#states.values()) nextMs = Math.min(nextMs, state.nextMs ?? Infinity);
      for (const { isTold, sinceMs, lastMs } of this.#limited.values())
        nextMs = Math.min(nextMs, isTold ? lastMs + limitResolveMs : sinceMs);
      const change = this.#changes[0];
      // Until then, another input may say the same of this time.
      if (change !== undefined && change.sinceMs < watermarkMs && change.sinceMs < nextMs) {
        yield* this.#changeRules(change.sinceMs);
        continue;
      }
      if (nextMs > watermarkMs) break;
      yield* this.#judgeAt(Math.max(nextMs, this.#judgedMs));
    }
    if (Number.isFinite(watermarkMs)) this.#judgedMs = Math.max(this.#judgedMs, watermarkMs);
  }

  *#judgeAt(atMs: number, isMeant = (_: RuleState): boolean => true): Generator<OrderedChange> {
    const due = [...this.#states.values()].filter(
      (state) => state.nextMs !== undefined && state.nextMs <= atMs && isMeant(state),
    );
    for (const state of due.sort((a, b) => (a.rule.name < b.rule.name ? -1 : 1))) {
      const dueMs = state.nextMs!;
      for (const change of state.judge(dueMs)) yield this.#ordered(change, atMs);
      yield* this.#keepWithinLimits(state, atMs);
    }
    yield* this.#tellLimits(atMs);
    this.#judgedMs = Math.max(this.#judgedMs, atMs);
  }

  *#keepWithinLimits(state: RuleState, atMs: number): Generator<OrderedChange> {
    const { ruleBytes, bytes } = this.#limits();
    const all = this.bytes;
    const most = Math.min(ruleBytes, all > bytes ? state.bytes - (all - bytes) : Infinity);
    if (state.bytes <= most) return;
    const evicting = state.evict(Math.max(0, most * evictTo), atMs);
    let step = evicting.next();
    for (; step.done !== true; step = evicting.next()) yield this.#ordered(step.value, atMs);
    this.evicted += step.value;
    if (step.value > 0) this.#noteLimit(state.rule.name, atMs);
  }

  #limits(): { ruleBytes: number; bytes: number } {
    let ruleBytes = Infinity;
    let bytes = Infinity;
    for (const version of this.#inForce) {
      const limits = this.#sets.get(version)?.limits;
      ruleBytes = Math.min(ruleBytes, limits?.ruleBytes ?? Infinity);
      bytes = Math.min(bytes, limits?.bytes ?? Infinity);
    }
    const { parts } = this.#part;
    return { ruleBytes: ruleBytes / parts, bytes: bytes / parts };
  }

  /** A rule's memory was not enough at this time. */
  #noteLimit(name: string, atMs: number): void {
    const limited = this.#limited.get(name);
    if (limited === undefined) this.#limited.set(name, { sinceMs: atMs, lastMs: atMs, isTold: false });
    else {
      limited.lastMs = Math.max(limited.lastMs, atMs);
      if (!limited.isTold) limited.sinceMs = Math.min(limited.sinceMs, atMs);
    }
  }

  *#tellLimits(atMs: number): Generator<OrderedChange> {
    for (const [name, limited] of [...this.#limited].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { sinceMs } = limited;
      if (!limited.isTold && sinceMs <= atMs) {
        limited.isTold = true;
        yield this.#ordered(limitChange(name, this.#part.part, 'firing', atMs, sinceMs), atMs);
      } else if (limited.isTold && limited.lastMs + limitResolveMs <= atMs) {
        this.#limited.delete(name);
        yield this.#ordered(limitChange(name, this.#part.part, 'resolved', atMs, sinceMs), atMs);
      }
    }
  }

  /** The rules in force are those of any input. */
  *#changeRules(atMs: number): Generator<OrderedChange> {
    const before = this.#idsInForce();
    for (; this.#changes[0]?.sinceMs === atMs; this.#changes.shift())
      this.#inForce[this.#changes[0].input] = this.#changes[0].version;
    const after = this.#idsInForce();
    const named = (ids: string[]): RuleState[] =>
      ids
        .map((id) => this.#stateOf(undefined, id)!)
        .sort((a, b) =>
          a.rule.name < b.rule.name ? -1 : a.rule.name > b.rule.name ? 1 : a.rule.id < b.rule.id ? -1 : 1,
        );
    for (const state of named(without(before, after))) {
      for (const change of state.end(atMs)) yield this.#ordered(change, atMs);
      this.#states.delete(state.rule.id);
    }
    for (const state of named(without(after, before)))
      state.begin(atMs, this.#part.ownsKeyless(state.rule.name));
    this.#forgetSets();
  }

  #idsInForce(): Set<string> {
    return new Set(
      this.#inForce.flatMap((version) => this.#sets.get(version)?.windows.map(({ id }) => id) ?? []),
    );
  }

  #forgetSets(): void {
    const used = new Set([
      ...this.#inForce,
      ...this.#changes.map(({ version }) => version),
      ...this.#inputs.map((input) => input?.version ?? ''),
    ]);
    for (const version of this.#sets.keys()) if (!used.has(version)) this.#sets.delete(version);
  }

  #stateOf(rules: RuleSet | null | undefined, id: string): RuleState | undefined {
    const known = this.#states.get(id);
    if (known !== undefined || rules === null) return known;
    const sets = rules === undefined ? [...this.#sets.values()] : [rules];
    const rule = sets.flatMap(({ windows }) => windows).find((each) => each.id === id);
    if (rule === undefined) return undefined;
    const state = new RuleState(rule);
    this.#states.set(id, state);
    return state;
  }

  #ordered(change: StageChange, atMs: number): OrderedChange {
    if (atMs !== this.#changedMs) {
      this.#changedMs = atMs;
      this.#index = 0;
    }
    const version = this.#inForce.find(
      (each) => this.#sets.get(each)?.windows.includes(change.rule) === true,
    );
    return { ...change, atMs, index: this.#index++, rulesVersion: version ?? this.#inForce[0] ?? '' };
  }

  /** All that a restart needs, as plain data. */
  get snapshot(): EvaluatorSnapshot {
    return {
      format: snapshotFormat,
      inputs: this.#inputs,
      inForce: this.#inForce,
      changes: this.#changes,
      sets: [...this.#sets.values()].map(({ text }) => text),
      states: [...this.#states.values()].map((state) => state.snapshot),
      limited: [...this.#limited],
      judgedMs: this.#judgedMs,
      changedMs: this.#changedMs,
      index: this.#index,
    };
  }

  /** `parse` reads the text of a rules file that was valid. */
  static restored(
    snapshot: EvaluatorSnapshot,
    parse: (text: string) => RuleSet | null,
    part: EvaluatorPart = everything,
  ): WindowEvaluator {
    const evaluator = new WindowEvaluator(snapshot.inputs.length, part);
    evaluator.#inputs.splice(0, snapshot.inputs.length, ...snapshot.inputs);
    evaluator.#inForce.splice(0, snapshot.inForce.length, ...snapshot.inForce);
    evaluator.#changes = snapshot.changes;
    for (const text of snapshot.sets) {
      const set = parse(text);
      if (set !== null) evaluator.#sets.set(set.version, set);
    }
    const rules = new Map(
      [...evaluator.#sets.values()].flatMap(({ windows }) => windows).map((rule) => [rule.id, rule]),
    );
    for (const state of snapshot.states) {
      const rule = rules.get(state.id);
      if (rule !== undefined) evaluator.#states.set(state.id, RuleState.restored(rule, state));
    }
    evaluator.#limited = new Map(snapshot.limited);
    evaluator.#judgedMs = snapshot.judgedMs;
    evaluator.#changedMs = snapshot.changedMs;
    evaluator.#index = snapshot.index;
    return evaluator;
  }
}

/** WindowEvaluator as plain data: what the structured clone algorithm copies. */
export interface EvaluatorSnapshot {
  format: number;
  inputs: (Input | undefined)[];
  inForce: string[];
  changes: VersionChange[];
  /** The texts of the rules files. */
  sets: string[];
  states: RuleSnapshot[];
  limited: [string, Limited][];
  changedMs: number;
  judgedMs: number;
  index: number;
}

function limitChange(
  name: string,
  part: number,
  state: 'firing' | 'resolved',
  atMs: number,
  startsMs: number,
): StageChange {
  return {
    rule: { ...limitRuleOf, name: limitRule },
    key: [name, String(part)],
    state,
    atMs,
    startsMs,
    value: null,
    count: 0,
    examples: [],
  };
}

const limitRuleOf: WindowRule = {
  name: limitRule,
  index: -1,
  id: limitRule,
  of: 'events',
  message: 'a rule has more keys than its memory holds: those that were silent longest are forgotten',
  severity: 'high',
  labels: {},
  webhook: null,
  when: () => false,
  by: ['rule', 'partition'].map((name) => ({ name, values: () => [] })),
  windowMs: limitResolveMs,
  stepMs: 1000,
  columns: [],
  condition: [],
  conditionText: 'keys exceed the memory of the rule',
  until: null,
  forMs: 0,
  forgetMs: limitResolveMs,
  sequence: null,
  resolveMs: limitResolveMs,
  example: null,
};

function without(a: ReadonlySet<string>, b: ReadonlySet<string>): string[] {
  return [...a].filter((each) => !b.has(each));
}

/** The key of a change, by the names of its fields. */
export function keyOfChange({ rule, key }: StageChange): Record<string, string> {
  return Object.fromEntries(rule.by.map(({ name }, i) => [name, key[i] ?? '']));
}

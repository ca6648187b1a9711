import type { WindowRule } from '../window/window-rule.ts';
import { latestExamples, type Contribution, type Example } from './contribution.ts';
import type { WindowTotal } from './judge.ts';
import { emptySlot, mergeSlots, slotBytes } from './slots.ts';

export type Stage = 'inactive' | 'pending' | 'firing';

/** What is known of one key of a rule. */
export interface KeyState {
  key: readonly string[];
  text: string;
  /** The steps that the rule still looks back to, ascending. */
  steps: Map<number, WindowTotal>;
  /** The first and last step in which it had something; -1 before. */
  firstStep: number;
  lastStep: number;
  examples: readonly Example[];
  stage: Stage;
  /** When the condition began to hold, ms of log time. */
  sinceMs: number;
  /** Of a sequence: the places of the events that completed it, their number since it fires, and when the last did. */
  matched: Set<string>;
  matches: number;
  matchedMs: number;
  /** When it is looked at again whether it is to be forgotten, ms; 0: never. */
  leaveMs: number;
  bytes: number;
}

const ownBytes = 480;
const stepBytes = 160;
const exampleBytes = 120;

export function newKey(key: readonly string[], text: string): KeyState {
  return {
    key,
    text,
    steps: new Map(),
    firstStep: -1,
    lastStep: -1,
    examples: [],
    stage: 'inactive',
    sinceMs: 0,
    matched: new Set(),
    matches: 0,
    matchedMs: 0,
    leaveMs: 0,
    bytes: ownBytes + 4 * text.length,
  };
}

/** Adds what came in one step, which is the last one so far. Returns by how many bytes the key grew. */
export function addStep(state: KeyState, step: number, part: Contribution): number {
  const before = state.examples.length;
  const { count, slots } = part;
  state.steps.set(step, { count, slots });
  if (state.firstStep < 0) state.firstStep = step;
  state.lastStep = step;
  state.examples = latestExamples(state.examples, part.examples);
  const grown = bytesOf({ count, slots }) + (state.examples.length - before) * exampleBytes;
  state.bytes += grown;
  return grown;
}

/** Removes steps before this one. Returns by how many bytes the key shrank. */
export function dropSteps(state: KeyState, before: number): number {
  let freed = 0;
  for (const [step, part] of state.steps) {
    if (step >= before) break;
    state.steps.delete(step);
    freed += bytesOf(part);
  }
  state.bytes -= freed;
  return freed;
}

function bytesOf({ slots }: WindowTotal): number {
  return slots.reduce<number>((sum, slot) => sum + slotBytes(slot), stepBytes);
}

/** Both contributions to the same key and step; the first is changed. */
export function mergeContributions(rule: WindowRule, a: Contribution, b: Contribution): void {
  a.count += b.count;
  a.slots = rule.columns.map((column, i) =>
    mergeSlots(column, a.slots[i] ?? emptySlot(column), b.slots[i] ?? emptySlot(column)),
  );
  a.examples = latestExamples(a.examples, b.examples);
}

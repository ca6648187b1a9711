import type { WindowRule } from '../window/window-rule.ts';
import { laterExamples, latestExamples, type Contribution, type Example } from './contribution.ts';
import type { WindowTotal } from './judge.ts';
import { emptySlot, mergeSlots, slotBytes, type Slot } from './slots.ts';

export type Stage = 'inactive' | 'pending' | 'firing';

/** What a key has in one step. */
export interface StepTotal extends WindowTotal {
  step: number;
}

const noSlots: readonly Slot[] = [];

/** What is known of one key of a rule. */
export interface KeyState {
  key: readonly string[];
  text: string;
  /** The steps that the rule still looks back to, ascending; those without anything are left out. */
  steps: StepTotal[];
  /** The first and last step in which it had something; -1 before. */
  firstStep: number;
  lastStep: number;
  examples: readonly Example[];
  stage: Stage;
  /** When the condition began to hold, ms of log time. */
  sinceMs: number;
  /** Of a sequence: the places of the events that completed it, their number since it fires, and when the last did. */
  matched: Set<string> | null;
  matches: number;
  matchedMs: number;
  /** When it is looked at again whether it is to be forgotten, ms; 0: never. */
  leaveMs: number;
  /** When it was judged last, ms. */
  judgedMs: number;
  bytes: number;
}

const ownBytes = 320;
const stepBytes = 128;
const exampleBytes = 120;

export function newKey(key: readonly string[], text: string): KeyState {
  return {
    key,
    text,
    steps: [],
    firstStep: -1,
    lastStep: -1,
    examples: [],
    stage: 'inactive',
    sinceMs: 0,
    matched: null,
    matches: 0,
    matchedMs: 0,
    leaveMs: 0,
    judgedMs: 0,
    bytes: ownBytes + 4 * text.length,
  };
}

/** Adds what came in one step, which is the last one so far. Returns by how many bytes the key grew. */
export function addStep(state: KeyState, step: number, { count, slots, examples }: Contribution): number {
  const before = state.examples.length;
  const part = { step, count, slots: slots.length === 0 ? noSlots : slots };
  state.steps.push(part);
  if (state.firstStep < 0) state.firstStep = step;
  state.lastStep = step;
  state.examples = laterExamples(state.examples, examples);
  const grown = bytesOf(part) + (state.examples.length - before) * exampleBytes;
  state.bytes += grown;
  return grown;
}

/** Removes steps before this one. Returns by how many bytes the key shrank. */
export function dropSteps(state: KeyState, before: number): number {
  let dropped = 0;
  let freed = 0;
  for (const part of state.steps) {
    if (part.step >= before) break;
    dropped++;
    freed += bytesOf(part);
  }
  if (dropped > 0) state.steps = state.steps.slice(dropped);
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

import type { Contribution, Example } from './contribution.ts';
import type { Mark, Slot } from './slots.ts';

type PlainSlot =
  | number
  | { s: [number, string] }
  | { r: [number | null, number | null] }
  | { d: string[] }
  | { q: [number, number[], [number, number][]] }
  | { m: Mark[] };

type PlainContribution = [
  rule: string,
  key: readonly string[],
  step: number,
  count: number,
  slots: PlainSlot[],
  examples: readonly Example[],
];

/** As JSON text: equal contributions have equal texts. */
export function encodeContributions(contributions: readonly Contribution[]): string {
  return JSON.stringify(
    contributions.map(({ rule, key, step, count, slots, examples }): PlainContribution => [
      rule,
      key,
      step,
      count,
      slots.map(plain),
      examples,
    ]),
  );
}

export function decodeContributions(text: string): Contribution[] {
  return (JSON.parse(text) as PlainContribution[]).map(([rule, key, step, count, slots, examples]) => ({
    rule,
    key,
    step,
    count,
    slots: slots.map(slotOf),
    examples,
  }));
}

function plain(slot: Slot): PlainSlot {
  if (typeof slot === 'number') return slot;
  if (slot instanceof Set) return { d: [...slot] };
  if (Array.isArray(slot)) return { m: slot };
  if ('bins' in slot) return { q: [slot.n, slot.below, [...slot.bins]] };
  if ('sum' in slot) return { s: [slot.n, String(slot.sum)] };
  // Infinity is null in JSON.
  return { r: [finite(slot.least), finite(slot.most)] };
}

function slotOf(slot: PlainSlot): Slot {
  if (typeof slot === 'number') return slot;
  if ('d' in slot) return new Set(slot.d);
  if ('m' in slot) return slot.m;
  if ('q' in slot) return { n: slot.q[0], below: slot.q[1], bins: new Map(slot.q[2]) };
  if ('s' in slot) return { n: slot.s[0], sum: BigInt(slot.s[1]) };
  return { least: slot.r[0] ?? Infinity, most: slot.r[1] ?? -Infinity };
}

function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null;
}

import type { FilterSubject } from '@logloom/filter';
import type { Column } from '../window/window-rule.ts';

/**
 * What a column keeps of some events. Slots of the same column can be merged in any order and grouping, with the same result: the sum is exact
 * (in whole 2^-20, so that a sum does not depend on who adds first), and a percentile is decided by counts.
 */
export type Slot =
  | number
  | { n: number; sum: bigint }
  | { least: number; most: number }
  | Set<string>
  | { n: number; below: number[]; bins: Map<number, number> }
  | Mark[];

/** An event of a sequence: its own time (microseconds), its place, and the tests that it passes as bits. */
export type Mark = readonly [timestamp: number, partition: number, offset: number, bits: number];

/** Marks of one key in one step beyond this many are dropped: the last ones by their place. */
export const maxMarks = 1000;

const fraction = 2 ** 20;
/** Values of a histogram's bin differ by at most 2 %, so its middle is within 1 %. */
const growth = Math.log(1.02);

export function emptySlot(column: Column): Slot {
  switch (column.type) {
    case 'passing':
      return 0;
    case 'sum':
      return { n: 0, sum: 0n };
    case 'min':
    case 'max':
      return { least: Infinity, most: -Infinity };
    case 'distinct':
      return new Set();
    case 'quantile':
      return { n: 0, below: column.bounds.map(() => 0), bins: new Map() };
    case 'marks':
      return [];
  }
}

/** The slot with one more event or request. */
export function addToSlot(
  column: Column,
  slot: Slot,
  subject: FilterSubject,
  place: { partition: number; offset: number },
): Slot {
  switch (column.type) {
    case 'passing':
      return (slot as number) + (column.test(subject) ? 1 : 0);
    case 'sum': {
      const sum = slot as { n: number; sum: bigint };
      for (const number of column.numbers(subject)) {
        sum.n++;
        sum.sum += quantized(number);
      }
      return sum;
    }
    case 'min':
    case 'max': {
      const range = slot as { least: number; most: number };
      for (const number of column.numbers(subject)) {
        range.least = Math.min(range.least, number);
        range.most = Math.max(range.most, number);
      }
      return range;
    }
    case 'distinct': {
      const values = slot as Set<string>;
      for (const value of column.values(subject)) if (values.size < column.most) values.add(value);
      return values;
    }
    case 'quantile': {
      const all = slot as { n: number; below: number[]; bins: Map<number, number> };
      for (const number of column.numbers(subject)) {
        all.n++;
        column.bounds.forEach(({ value, inclusive }, i) => {
          if (number < value || (inclusive && number === value)) all.below[i]!++;
        });
        const bin = binOf(number);
        all.bins.set(bin, (all.bins.get(bin) ?? 0) + 1);
      }
      return all;
    }
    case 'marks': {
      const marks = slot as Mark[];
      let bits = 0;
      column.tests.forEach((test, i) => (bits |= test(subject) ? 1 << i : 0));
      if (marks.length < maxMarks) marks.push([subject.event.timestamp, place.partition, place.offset, bits]);
      return marks;
    }
  }
}

/** Both together; the first may be changed. */
export function mergeSlots(column: Column, a: Slot, b: Slot): Slot {
  switch (column.type) {
    case 'passing':
      return (a as number) + (b as number);
    case 'sum': {
      const [x, y] = [a, b] as { n: number; sum: bigint }[];
      return { n: x!.n + y!.n, sum: x!.sum + y!.sum };
    }
    case 'min':
    case 'max': {
      const [x, y] = [a, b] as { least: number; most: number }[];
      return { least: Math.min(x!.least, y!.least), most: Math.max(x!.most, y!.most) };
    }
    case 'distinct': {
      const values = a as Set<string>;
      for (const value of b as Set<string>) if (values.size < column.most) values.add(value);
      return values;
    }
    case 'quantile': {
      const [x, y] = [a, b] as { n: number; below: number[]; bins: Map<number, number> }[];
      x!.n += y!.n;
      y!.below.forEach((count, i) => (x!.below[i]! += count));
      for (const [bin, count] of y!.bins) x!.bins.set(bin, (x!.bins.get(bin) ?? 0) + count);
      return x!;
    }
    case 'marks': {
      const marks = [...(a as Mark[]), ...(b as Mark[])];
      if (marks.length <= maxMarks) return marks;
      // Those of the lowest places stay, however the parts came together.
      return marks.sort((x, y) => x[1] - y[1] || x[2] - y[2]).slice(0, maxMarks);
    }
  }
}

/** The estimated memory in bytes. */
export function slotBytes(slot: Slot): number {
  if (typeof slot === 'number') return 8;
  if (slot instanceof Set) {
    let bytes = 64;
    for (const value of slot) bytes += 40 + 2 * value.length;
    return bytes;
  }
  if (Array.isArray(slot)) return 32 + 72 * slot.length;
  return 'bins' in slot ? 96 + 8 * slot.below.length + 40 * slot.bins.size : 56;
}

/** In whole 2^-20; numbers beyond what that can hold count as the largest that it can. */
function quantized(number: number): bigint {
  const scaled = Math.round(number * fraction);
  return BigInt(Number.isFinite(scaled) ? scaled : Math.sign(number) * Number.MAX_SAFE_INTEGER);
}

export function sumOf({ sum }: { sum: bigint }): number {
  return Number(sum) / fraction;
}

/** Bins grow by 2 %; those of negative numbers are below -10^6, and 0 is -10^6. */
function binOf(number: number): number {
  const offset = 1e6;
  if (number === 0) return -offset;
  const bin = Math.ceil(Math.log(Math.abs(number)) / growth);
  return number > 0 ? bin : -2 * offset - bin;
}

function middleOf(bin: number): number {
  const offset = 1e6;
  if (bin === -offset) return 0;
  const power = bin > -offset ? bin : -2 * offset - bin;
  const middle = (2 * Math.exp(power * growth)) / (1 + Math.exp(growth));
  return bin > -offset ? middle : -middle;
}

/** The value of a percentile by the nearest rank, within 1 %. */
export function quantileOf(
  { n, bins }: { n: number; bins: ReadonlyMap<number, number> },
  quantile: number,
): number {
  const rank = rankOf(n, quantile);
  let seen = 0;
  for (const [bin, count] of [...bins].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= rank) return Number(middleOf(bin).toPrecision(3));
  }
  return Number.NaN;
}

/** The nearest rank, from 1. Rounding first: 0.95 * 20 is a little more than 19. */
export function rankOf(n: number, quantile: number): number {
  return Math.max(1, Math.ceil(Number((n * quantile).toPrecision(12))));
}

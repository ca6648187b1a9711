import { holm } from '../compare/mann-whitney.ts';
import type { Sequence, Symptom, SymptomKind } from './analysis-result.ts';

/** The second of a sequence begins within so many seconds after the first. */
export const windowS = 10;
const significance = 0.05;
/** Longer runs are shifted by so many evenly spread times. */
const mostShifts = 3_600;

/**
 * Which symptoms begin after which more often than chance. Null model: the beginnings of the first are where they are, but the run's time is a
 * circle, and they are turned by any number of seconds against those of the second (exact: every turn is counted). That keeps how each of them
 * clusters, and only breaks the link between them. Corrected by Holm for all pairs. What begins in the same second has no order.
 */
export function sequencesOf(symptoms: readonly Symptom[], durationS: number): Sequence[] {
  const length = Math.ceil(durationS);
  const beginnings = new Map<SymptomKind, number[]>();
  for (const { kind, fromS } of symptoms) {
    const known = beginnings.get(kind);
    if (known === undefined) beginnings.set(kind, [fromS]);
    else known.push(fromS);
  }
  const kinds = [...beginnings.keys()].sort();
  const pairs = kinds.flatMap((first) =>
    kinds.filter((then) => then !== first).map((then) => ({ first, then })),
  );
  const tested = pairs
    .map(({ first, then }) => ({
      first,
      then,
      ...shifted(beginnings.get(first)!, beginnings.get(then)!, length),
    }))
    .filter(({ followed }) => followed > 0);
  // All pairs that could have been found count, those without a follower too.
  const ps = holm([
    ...tested.map(({ p }) => p),
    ...Array.from({ length: pairs.length - tested.length }, () => 1),
  ]);
  return tested
    .map((pair, i) => ({ ...pair, p: ps[i]!, beyondChance: ps[i]! < significance }))
    .sort((a, b) => a.p - b.p || b.followed - a.followed);
}

function shifted(
  first: readonly number[],
  then: readonly number[],
  length: number,
): Pick<Sequence, 'followed' | 'of' | 'expected' | 'p'> {
  // follows[s]: one of the second begins within the window after second s.
  const follows = new Uint8Array(length);
  for (const atS of then)
    for (let before = 1; before <= windowS; before++)
      follows[(((atS - before) % length) + length) % length] = 1;
  const count = (shift: number): number =>
    first.reduce((sum, atS) => sum + follows[(atS + shift) % length]!, 0);
  const followed = first.filter((atS) => then.some((other) => other > atS && other - atS <= windowS)).length;
  const step = Math.max(1, length / mostShifts);
  let [asMany, all, sum] = [0, 0, 0];
  for (let shift = 0; shift < length; shift += step) {
    const by = count(Math.floor(shift));
    all++;
    sum += by;
    if (by >= followed) asMany++;
  }
  return { followed, of: first.length, expected: sum / all, p: asMany / all };
}

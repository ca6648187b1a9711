import { z95, type Interval } from '../verdict/interval.ts';

/** Up to this many values together the distribution is counted; above it is as good as normal. */
const mostCounted = 40;

export interface MannWhitney {
  /** Two-sided. */
  p: number;
  /** Cliff's delta, from -1 to 1: how much more often a value of b is above one of a than below. */
  delta: number;
}

/**
 * Mann and Whitney's test of two samples (1947): exact, ties included, by counting every division of the values for small samples; else normal
 * with the correction for ties and for continuity.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): MannWhitney {
  if (a.length === 0 || b.length === 0) return { p: 1, delta: 0 };
  const { ranks, ties } = midranks([...a, ...b]);
  const sumOfB = ranks.slice(a.length).reduce((sum, rank) => sum + rank, 0);
  const u = sumOfB - (b.length * (b.length + 1)) / 2;
  const pairs = a.length * b.length;
  const delta = (2 * u) / pairs - 1;
  const n = ranks.length;
  if (n <= mostCounted) return { p: exactP(ranks, b.length, sumOfB), delta };
  const variance = (pairs / 12) * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return { p: 1, delta };
  const z = Math.max(0, Math.abs(u - pairs / 2) - 0.5) / Math.sqrt(variance);
  return { p: twoSided(z), delta };
}

/** Share of all choices of `size` ranks whose sum is as far from the mean as `sum`. */
function exactP(ranks: readonly number[], size: number, sum: number): number {
  const doubled = ranks.map((rank) => Math.round(2 * rank));
  const most = doubled.reduce((total, rank) => total + rank, 0);
  const ways = Array.from({ length: size + 1 }, () => new Float64Array(most + 1));
  ways[0]![0] = 1;
  for (const rank of doubled) {
    for (let chosen = size; chosen >= 1; chosen--) {
      const [to, from] = [ways[chosen]!, ways[chosen - 1]!];
      for (let total = most; total >= rank; total--) to[total]! += from[total - rank]!;
    }
  }
  const mean = (most * size) / doubled.length;
  const distance = Math.abs(2 * sum - mean) - 1e-9;
  let far = 0;
  let all = 0;
  for (const [total, count] of ways[size]!.entries()) {
    all += count;
    if (Math.abs(total - mean) >= distance) far += count;
  }
  return far / all;
}

/** Ranks from 1, equal values share theirs; `ties` is the sum of t^3 - t over groups of equal values. */
export function midranks(values: readonly number[]): { ranks: number[]; ties: number } {
  const order = values.map((_, index) => index).toSorted((i, j) => values[i]! - values[j]!);
  const ranks = new Array<number>(values.length);
  let ties = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let index = from; index < to; index++) ranks[order[index]!] = (from + 1 + to) / 2;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  return { ranks, ties };
}

export interface Shift {
  /** Hodges and Lehmann's: the median of all differences b - a. */
  estimate: number;
  /** Of 95 %, by inverting the test above; null where the samples are too small for one. */
  interval: Interval | null;
}

/** How much higher b is than a. Both have at least one value. */
export function shiftBetween(a: readonly number[], b: readonly number[]): Shift {
  const differences = new Float64Array(a.length * b.length);
  let at = 0;
  for (const x of a) for (const y of b) differences[at++] = y - x;
  differences.sort();
  const pairs = differences.length;
  const estimate = (differences[(pairs - 1) >> 1]! + differences[pairs >> 1]!) / 2;
  const rank = criticalRank(a.length, b.length);
  return { estimate, interval: rank < 0 ? null : [differences[rank]!, differences[pairs - 1 - rank]!] };
}

/** Differences to leave out at each end, so that what is left encloses the shift with 95 %; -1: even all do not. */
function criticalRank(m: number, n: number): number {
  if (m + n > mostCounted) {
    return Math.floor((m * n) / 2 - z95 * Math.sqrt((m * n * (m + n + 1)) / 12));
  }
  const counts = distributionOfU(m, n);
  const all = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let u = 0; u < counts.length; u++) {
    below += counts[u]!;
    if (below / all > 0.025) return u - 1;
  }
  return -1;
}

function distributionOfU(m: number, n: number): Float64Array {
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(m * n + 1));
  ways[0]![0] = 1;
  for (let rank = 1; rank <= m + n; rank++) {
    for (let chosen = Math.min(n, rank); chosen >= 1; chosen--) {
      // The chosen-th smallest of n at this rank is above rank - chosen of m.
      const above = rank - chosen;
      if (above > m) continue;
      const [to, from] = [ways[chosen]!, ways[chosen - 1]!];
      for (let u = m * n; u >= above; u--) to[u]! += from[u - above]!;
    }
  }
  return ways[n]!;
}

/** P(|Z| >= z) of the standard normal distribution (Abramowitz and Stegun 7.1.26, to 1.5e-7). */
export function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.min(1, polynomial * Math.exp(-x * x));
}

/** Holm's correction (1979) of p values for their number, in their order. */
export function holm(ps: readonly number[]): number[] {
  const adjusted = new Array<number>(ps.length);
  let highest = 0;
  for (const [place, index] of ps
    .map((_, index) => index)
    .toSorted((i, j) => ps[i]! - ps[j]!)
    .entries()) {
    highest = Math.max(highest, Math.min(1, ps[index]! * (ps.length - place)));
    adjusted[index] = highest;
  }
  return adjusted;
}

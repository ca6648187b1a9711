import { median, z95, type Interval } from '../verdict/interval.ts';
import { midranks, twoSided, type Shift } from './mann-whitney.ts';

/** Up to this many differences the distribution is counted; above it is as good as normal. */
const mostCounted = 100;

export interface SignedRank {
  /** Two-sided. */
  p: number;
  /** The matched-pairs rank-biserial correlation (Kerby 2014), from -1 to 1: the share of ranks that are above zero less that below. */
  delta: number;
}

/**
 * Wilcoxon's signed-rank test (1945) of whether differences lie around zero. Differences of zero are left out, and equal ones share their
 * ranks (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd ed., 3.1). Exact, ties included, by counting every choice of
 * signs, for up to 100 differences; else normal with the correction for ties and for continuity.
 */
export function signedRank(differences: readonly number[]): SignedRank {
  const used = differences.filter((difference) => difference !== 0);
  const n = used.length;
  if (n === 0) return { p: 1, delta: 0 };
  const { ranks, ties } = midranks(used.map(Math.abs));
  const above = ranks.reduce((sum, rank, i) => sum + (used[i]! > 0 ? rank : 0), 0);
  const all = (n * (n + 1)) / 2;
  const delta = (2 * above - all) / all;
  if (n <= mostCounted) return { p: exactP(ranks, above), delta };
  const variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24;
  return { p: twoSided(Math.max(0, Math.abs(above - all / 2) - 0.5) / Math.sqrt(variance)), delta };
}

/**
 * The centre of differences by Hodges and Lehmann: the median of the means of all pairs of them, each with itself included (Walsh averages).
 * The interval of 95 % is that of the test above; null where there are fewer than six. There is at least one.
 */
export function centreOf(differences: readonly number[]): Shift {
  const n = differences.length;
  const means = new Float64Array((n * (n + 1)) / 2);
  let at = 0;
  for (const [i, x] of differences.entries()) for (const y of differences.slice(i)) means[at++] = (x + y) / 2;
  means.sort();
  const rank = criticalRank(n);
  return {
    estimate: median([...means]),
    interval: rank < 0 ? null : ([means[rank]!, means[means.length - 1 - rank]!] satisfies Interval),
  };
}

/** Chance of each sum of the ranks that are above zero, where each is so with 1/2. `ranks` are whole numbers. */
function distributionOf(ranks: readonly number[]): Float64Array {
  const most = ranks.reduce((total, rank) => total + rank, 0);
  const chance = new Float64Array(most + 1);
  chance[0] = 1;
  for (const rank of ranks)
    for (let sum = most; sum >= 0; sum--)
      chance[sum] = (chance[sum]! + (sum >= rank ? chance[sum - rank]! : 0)) / 2;
  return chance;
}

/** Chance of a sum as far from the mean as `above`. */
function exactP(ranks: readonly number[], above: number): number {
  const chance = distributionOf(ranks.map((rank) => Math.round(2 * rank)));
  const mean = (chance.length - 1) / 2;
  const distance = Math.abs(2 * above - mean) - 1e-9;
  return Math.min(
    1,
    chance.reduce((sum, each, total) => (Math.abs(total - mean) >= distance ? sum + each : sum), 0),
  );
}

/** Means to leave out at each end, so that what is left encloses the centre with 95 %; -1: even all do not. */
function criticalRank(n: number): number {
  if (n > mostCounted) {
    return Math.floor((n * (n + 1)) / 4 - z95 * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24));
  }
  const chance = distributionOf(Array.from({ length: n }, (_, i) => i + 1));
  let below = 0;
  let rank = 0;
  while ((below += chance[rank]!) <= 0.025) rank++;
  return rank - 1;
}

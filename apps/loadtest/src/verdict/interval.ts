export type Interval = [low: number, high: number];

/** Quantile of the standard normal distribution at 0.975: two-sided 95 %. */
export const z95 = 1.959963984540054;

/** P(X <= k) for n tosses of probability p. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n || p === 0) return 1;
  if (p === 1) return 0;
  let logTerm = n * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/** Fewest values whose smallest and largest enclose the median with 95 %: 1 - 2 / 2^6 = 96.9 %. */
export const fewestForMedian = 6;

/**
 * Interval of at least 95 % for the median of independent values of any distribution, by order statistics (David and Nagaraja, Order
 * Statistics, 7.1); null below `fewestForMedian` values.
 */
export function medianInterval(values: readonly number[]): Interval | null {
  const n = values.length;
  if (n < fewestForMedian) return null;
  const sorted = values.toSorted((a, b) => a - b);
  let rank = 0;
  while (binomialCdf(rank + 1, n, 0.5) <= 0.025) rank++;
  return [sorted[rank]!, sorted[n - 1 - rank]!];
}

/**
 * Interval of 95 % for a share (Wilson 1927; Brown, Cai and DasGupta 2001 prefer it to Clopper and Pearson's for its length). With no failure
 * the upper end is the exact one-sided bound, about 3 / n. `trials` may be an effective number, not whole.
 */
export function shareInterval(failures: number, trials: number): Interval {
  if (failures === 0) return [0, zeroBound(trials)];
  return wilsonInterval(failures, trials);
}

/** Wilson's score interval of 95 % for a share. */
export function wilsonInterval(successes: number, trials: number): Interval {
  const share = successes / trials;
  const z2 = z95 ** 2 / trials;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = (z95 * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials))) / (1 + z2);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** The highest share that none of n still allows with 95 %: the rule of three. */
export function zeroBound(trials: number): number {
  return trials <= 0 ? 1 : 1 - 0.05 ** (1 / trials);
}

/** Interval of 95 % for the mean of a count (score interval of the Poisson distribution); with none, 3 at most. */
export function countInterval(count: number): Interval {
  if (count === 0) return [0, 3];
  const half = z95 * Math.sqrt(count + z95 ** 2 / 4);
  return [count + z95 ** 2 / 2 - half, count + z95 ** 2 / 2 + half];
}

/**
 * How much more failures vary between the parts of a run than chance explains, at least 1 (Pearson's chi-square by its degrees of freedom, as
 * in quasi-binomial models). Trials divided by it are as good as independent.
 */
export function dispersion(parts: readonly { failures: number; trials: number }[]): number {
  const used = parts.filter((part) => part.trials > 0);
  const trials = used.reduce((sum, part) => sum + part.trials, 0);
  const share = used.reduce((sum, part) => sum + part.failures, 0) / trials;
  if (used.length < 2 || !(share > 0 && share < 1)) return 1;
  const chiSquare = used.reduce(
    (sum, part) => sum + (part.failures - part.trials * share) ** 2 / (part.trials * share * (1 - share)),
    0,
  );
  return Math.max(1, chiSquare / (used.length - 1));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

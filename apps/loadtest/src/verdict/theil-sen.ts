import { median, z95, type Interval } from './interval.ts';
import { serialInflation } from './serial-correlation.ts';

export interface Slope {
  value: number;
  /** Of 95 % (Sen 1968). */
  interval: Interval;
}

/** The variance of Kendall's score of n pairs, corrected for ties of y. */
export function kendallVariance(ys: readonly number[]): number {
  const n = ys.length;
  const groups = Map.groupBy(ys, (y) => y).values();
  const ties = [...groups].reduce((sum, { length: t }) => sum + t * (t - 1) * (2 * t + 5), 0);
  return (n * (n - 1) * (2 * n + 5) - ties) / 18;
}

/**
 * Theil and Sen's slope: the median of the slopes between all pairs of points, whatever a few of them do. At least two differ in x. Of a
 * series, whose points are in the order in which they were measured and may depend on their neighbours, the interval is wider for that.
 */
export function theilSen(
  points: readonly (readonly [x: number, y: number])[],
  { isSeries = false } = {},
): Slope {
  const slopes: number[] = [];
  for (const [i, [x0, y0]] of points.entries())
    for (const [x1, y1] of points.slice(i + 1)) if (x1 !== x0) slopes.push((y1 - y0) / (x1 - x0));
  slopes.sort((a, b) => a - b);
  const value = median(slopes);
  const inflation = isSeries ? serialInflation(points, value) : 1;
  const half = z95 * Math.sqrt(kendallVariance(points.map(([, y]) => y)) * inflation);
  const low = Math.max(0, Math.floor((slopes.length - half) / 2));
  return { value, interval: [slopes[low]!, slopes[slopes.length - 1 - low]!] };
}

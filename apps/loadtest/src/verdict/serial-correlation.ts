import { midranks } from '../compare/mann-whitney.ts';
import { autocorrelation } from './blocks.ts';

/** Of a series that hardly leaves where it is nothing is known but that. */
const mostCorrelation = 0.95;

/**
 * How many values of a series say as much as one that is independent of the others, at least 1: neighbours on the same side of the trend say
 * less than as many apart. (1 + r) / (1 - r), of the correlation r of each rank with the next (Bayley and Hammersley 1946; for Kendall's score
 * Yue and Wang 2004), with the part added by which r is too low in short series (Marriott and Pope 1954). `slope` is the trend; points are in the
 * order in which they were measured.
 */
export function serialInflation(points: readonly (readonly [x: number, y: number])[], slope: number): number {
  const { ranks } = midranks(points.map(([x, y]) => y - slope * x));
  const found = autocorrelation(ranks);
  const r = Math.min(mostCorrelation, found + (1 + 4 * found) / points.length);
  return Math.max(1, (1 + r) / (1 - r));
}

import type { Second } from '../result.ts';
import { fewestForMedian } from './interval.ts';

export const blockSeconds = 5;

/** What a block of seconds measured; null where nothing was. */
export type BlockValue = (seconds: readonly Second[]) => number | null;

export interface Blocks {
  values: number[];
  /** Long enough for neighbours to be independent. */
  seconds: number;
  /** False: neighbours still depend on each other at the longest length that leaves enough blocks. */
  independent: boolean;
}

/**
 * Cuts a timeline into the shortest blocks, from 5 s by doubling, whose values show no correlation with the block before (one-sided, 5 %).
 * A block that is not whole at the end is left out, unless there is no other.
 */
export function independentBlocks(seconds: readonly Second[], value: BlockValue): Blocks {
  for (let length = blockSeconds; ; length *= 2) {
    const values = blocksOf(seconds, length, value);
    const independent = autocorrelation(values) <= 1.645 / Math.sqrt(values.length);
    if (values.length < fewestForMedian || independent) {
      return { values, seconds: length, independent: values.length < fewestForMedian || independent };
    }
    if (Math.floor(seconds.length / (length * 2)) < fewestForMedian) {
      return { values, seconds: length, independent: false };
    }
  }
}

function blocksOf(seconds: readonly Second[], length: number, value: BlockValue): number[] {
  const values: number[] = [];
  for (let from = 0; from + length <= seconds.length; from += length) {
    const measured = value(seconds.slice(from, from + length));
    if (measured !== null) values.push(measured);
  }
  return values;
}

/** Correlation of each value with the next; 0 where all are equal. */
export function autocorrelation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let product = 0;
  let square = 0;
  for (const [index, value] of values.entries()) {
    square += (value - mean) ** 2;
    if (index > 0) product += (value - mean) * (values[index - 1]! - mean);
  }
  return square > 0 ? product / square : 0;
}

/**
 * Quantile in ms of all deliveries of some seconds, from each second's p50, p95, p99 and maximum: their distributions, linear between those
 * points, are mixed by the number of deliveries.
 */
export function latencyOf(quantile: number): BlockValue {
  return (seconds) => {
    const used = seconds.filter((second) => second.deliveries > 0 && second.maxMs !== null);
    if (used.length === 0) return null;
    const total = used.reduce((sum, second) => sum + second.deliveries, 0);
    let low = 0;
    let high = Math.max(...used.map((second) => second.maxMs!));
    for (let step = 0; step < 50; step++) {
      const middle = (low + high) / 2;
      const below = used.reduce((sum, second) => sum + second.deliveries * shareBelow(second, middle), 0);
      if (below >= quantile * total) high = middle;
      else low = middle;
    }
    return high;
  };
}

function shareBelow(second: Second, ms: number): number {
  const points = [
    [0, 0],
    [second.p50Ms ?? second.maxMs!, 0.5],
    [second.p95Ms ?? second.maxMs!, 0.95],
    [second.p99Ms ?? second.maxMs!, 0.99],
    [second.maxMs!, 1],
  ] as const;
  for (let index = 1; index < points.length; index++) {
    const [toMs, toShare] = points[index]!;
    if (ms >= toMs) continue;
    const [fromMs, fromShare] = points[index - 1]!;
    return fromShare + ((toShare - fromShare) * (ms - fromMs)) / (toMs - fromMs);
  }
  return 1;
}

/** Mean over the seconds in which something was measured. */
export function meanOf(value: (second: Second) => number | null): BlockValue {
  return (seconds) => {
    const measured = seconds.map(value).filter((each) => each !== null);
    return measured.length ? measured.reduce((sum, each) => sum + each, 0) / measured.length : null;
  };
}

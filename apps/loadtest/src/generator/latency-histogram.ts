import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';
import type { Latency } from '../result.ts';

/** Latencies in µs with three digits, up to an hour. */
export function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    autoResize: true,
  });
}

/** Records a latency of `ms`; one that is negative, as clocks go, is none. */
export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.max(1, Math.min(3_600_000_000, Math.round(ms * 1_000))));
}

/** Null when nothing was recorded. */
export function packed(histogram: Histogram): string | null {
  return histogram.totalCount === 0 ? null : encodeIntoCompressedBase64(histogram);
}

export function addPacked(histogram: Histogram, text: string | null): void {
  if (text !== null) histogram.add(decodeFromCompressedBase64(text));
}

export function quantileMs(histogram: Histogram, percent: number): number | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(percent) / 1_000;
}

export function latencyOf(histogram: Histogram): Latency {
  return {
    count: histogram.totalCount,
    p50: quantileMs(histogram, 50),
    p95: quantileMs(histogram, 95),
    p99: quantileMs(histogram, 99),
    p999: quantileMs(histogram, 99.9),
    p9999: quantileMs(histogram, 99.99),
    max: quantileMs(histogram, 100),
  };
}

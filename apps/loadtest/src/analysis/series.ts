import { midranks } from '../compare/mann-whitney.ts';
import type { Incident, Second } from '../result.ts';

/** A calm second in between does not end a symptom. */
export const gapS = 2;

/** A quantile of values in any order; NaN of none. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Those of the seconds in which something was measured. */
export function known(timeline: readonly Second[], read: (second: Second) => number | null): number[] {
  return timeline.map(read).filter((value) => value !== null);
}

export interface Span {
  fromS: number;
  toS: number;
}

/** The seconds in which something holds, as spans; those with at most `gapS` seconds between them are one. */
export function spansOf(seconds: readonly number[], gapS: number): Span[] {
  const spans: Span[] = [];
  for (const atS of seconds.toSorted((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && atS - last.toS <= gapS) last.toS = Math.max(last.toS, atS + 1);
    else spans.push({ fromS: atS, toS: atS + 1 });
  }
  return spans;
}

/** Ranks' correlation (Spearman 1904); 0 where one of them does not vary. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [midranks(a).ranks, midranks(b).ranks];
  const mean = (x.length + 1) / 2;
  let product = 0;
  let [squareX, squareY] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    product += (x[i]! - mean) * (y[i]! - mean);
    squareX += (x[i]! - mean) ** 2;
    squareY += (y[i]! - mean) ** 2;
  }
  return squareX > 0 && squareY > 0 ? product / Math.sqrt(squareX * squareY) : 0;
}

/** Most frequent first. */
export function reasonsOf(incidents: readonly Incident[]): string {
  const counts = new Map<string, number>();
  for (const { reason, count } of incidents) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([reason, count]) => `${reason} (${count})`)
    .join(', ');
}

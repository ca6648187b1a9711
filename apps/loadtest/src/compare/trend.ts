import type { RunResult } from '../result.ts';
import { generatorWasTheLimit } from '../verdict/generator-limit.ts';
import { median, type Interval } from '../verdict/interval.ts';
import { valueOf } from '../verdict/metrics.ts';
import { metricNamed } from '../verdict/objective.ts';
import { kendallVariance, theilSen } from '../verdict/theil-sen.ts';
import { midranks, twoSided } from './mann-whitney.ts';

/** With fewer a trend or a change point is a guess. */
export const runsForTrend = 20;

const fewestInSegment = 5;

/** Below the usual 5 %: a history is asked again after each run. */
const changeSignificance = 0.01;

export interface ChangePoint {
  /** The first run after the change. */
  run: string;
  index: number;
  /** Medians of the runs between this change and its neighbours. */
  before: number;
  after: number;
  p: number;
}

export type Trend =
  | { shown: false; reason: string }
  | {
      shown: true;
      runs: number;
      changePoints: ChangePoint[];
      /** Since the last change; null where that is fewer than `runsForTrend` runs. By Theil and Sen, in the metric's unit a run. */
      slope: { perRun: number; interval: Interval; p: number } | null;
      /** Where the next run like these lies in 9 of 10 cases; null as for the slope. */
      forecast: Interval | null;
    };

/** Trend and change points of a metric over the runs that are like the latest one: same scenario, target and processors, and a generator that was not the limit. */
export function trendOf(runs: readonly RunResult[], metric: string): Trend {
  const latest = runs.at(-1);
  const read = metricNamed(metric);
  const measured = runs.flatMap((run) => {
    if (!latest || kindOf(run) !== kindOf(latest) || generatorWasTheLimit(run)) return [];
    const reading = read.read(run);
    if (reading.kind === 'missing') return [];
    return [{ run: run.run, value: valueOf(reading) }];
  });
  if (measured.length < runsForTrend) {
    return { shown: false, reason: `not shown: ${measured.length} of ${runsForTrend} runs` };
  }
  const values = measured.map(({ value }) => value);
  const found = changePoints(values);
  const points = found.map(({ index, p }, at): ChangePoint => ({
    run: measured[index]!.run,
    index,
    before: median(values.slice(found[at - 1]?.index ?? 0, index)),
    after: median(values.slice(index, found[at + 1]?.index)),
    p,
  }));
  const since = values.slice(found.at(-1)?.index ?? 0);
  return {
    shown: true,
    runs: measured.length,
    changePoints: points,
    slope: since.length < runsForTrend ? null : slopeOf(since),
    forecast: since.length < runsForTrend ? null : forecastOf(since),
  };
}

/** A slope that chance explains is none. */
const slopeSignificance = 0.05;
const outsideShare = 0.1;

/**
 * Interval of 90 % for the next value, of any distribution: the order statistics of the distances from the trend, put where the trend leads. The
 * next of n + 1 values that are alike is as likely at any rank (David and Nagaraja, Order Statistics, 7.3). A change of the system is not in it.
 */
export function forecastOf(values: readonly number[]): Interval {
  const n = values.length;
  const { perRun, p } = slopeOf(values);
  const slope = p < slopeSignificance ? perRun : 0;
  const distances = values.map((value, i) => value - slope * i).sort((a, b) => a - b);
  const rank = Math.max(1, Math.floor(((n + 1) * outsideShare) / 2));
  return [slope * n + distances[rank - 1]!, slope * n + distances[n - rank]!];
}

function kindOf({ scenario, target, conditions }: RunResult): string {
  return [scenario.name, target.kind, conditions.cpuModel, conditions.cpuCount].join('\n');
}

/** Pettitt's test (1979) on the whole, and again on each side of what it finds. In order. */
export function changePoints(values: readonly number[], offset = 0): { index: number; p: number }[] {
  const n = values.length;
  if (n < 2 * fewestInSegment) return [];
  const { ranks } = midranks(values);
  let sum = 0;
  let highest = 0;
  let index = 0;
  for (let at = 1; at < n; at++) {
    sum += ranks[at - 1]!;
    const k = Math.abs(2 * sum - at * (n + 1));
    if (at >= fewestInSegment && n - at >= fewestInSegment && k > highest) [highest, index] = [k, at];
  }
  const p = Math.min(1, 2 * Math.exp((-6 * highest ** 2) / (n ** 3 + n ** 2)));
  if (p >= changeSignificance) return [];
  return [
    ...changePoints(values.slice(0, index), offset),
    { index: offset + index, p },
    ...changePoints(values.slice(index), offset + index),
  ];
}

/** Theil and Sen's slope (1968) with its interval of 95 %, and the p of Mann and Kendall's test, both corrected for ties. */
export function slopeOf(values: readonly number[]): { perRun: number; interval: Interval; p: number } {
  let score = 0;
  for (const [i, value] of values.entries())
    for (const later of values.slice(i + 1)) score += Math.sign(later - value);
  const deviation = Math.sqrt(kendallVariance(values));
  const { value, interval } = theilSen(values.map((each, index) => [index, each]));
  return {
    perRun: value,
    interval,
    p: deviation > 0 ? twoSided(Math.max(0, Math.abs(score) - 1) / deviation) : 1,
  };
}

import type { RunResult } from '../result.ts';
import { figure } from '../verdict/figure.ts';
import { generatorWasTheLimit } from '../verdict/generator-limit.ts';
import { z95 } from '../verdict/interval.ts';
import { metrics } from '../verdict/metrics.ts';
import { conditionDifferences } from './condition-differences.ts';
import { holm, twoSided } from './mann-whitney.ts';
import type { MetricComparison } from './metric-comparison.ts';
import { countProcesses } from './processes.ts';
import { roundsOf, roundsToPair } from './rounds.ts';
import { runsToCompare, testMetric, type Tested } from './test-metric.ts';

/** Share of the baseline below which a change does not matter, where the caller names none. */
export const practicalThreshold = 0.05;

const significance = 0.05;

export interface Comparison {
  metrics: MetricComparison[];
  /** Where the two sides are not alike in more than what is compared. */
  differences: string[];
  /** What the intervals do not hold. */
  caveats: string[];
}

/**
 * Compares runs of a baseline with those of a candidate, metric by metric: in pairs, where the two were run in turns. Runs in which the generator was the limit are left out.
 * `threshold`: the share of the baseline below which a change does not matter.
 */
export function compare(
  baseline: readonly RunResult[],
  candidate: readonly RunResult[],
  threshold = practicalThreshold,
): Comparison {
  const sides = [baseline, candidate].map((runs) => runs.filter((run) => !generatorWasTheLimit(run)));
  const rounds = roundsOf(baseline, candidate);
  const usable = rounds?.filter((round) => !Object.values(round).some(generatorWasTheLimit)) ?? null;
  const tested = metrics.map((metric) => testMetric(metric, sides[0]!, sides[1]!, usable, threshold));
  // What is the same on both sides whatever chance does cannot differ, and is no test to correct for (Tarone 1990).
  const family = tested.filter((each) => 'threshold' in each).filter(canDiffer);
  const adjusted = new Map(holm(family.map(({ p }) => p)).map((p, i) => [family[i]!, p]));
  const left = baseline.length + candidate.length - sides[0]!.length - sides[1]!.length;
  return {
    metrics: tested.map((each) =>
      'threshold' in each ? conclude(each, adjusted.get(each) ?? 1, family.length, threshold) : each,
    ),
    differences: [
      ...(left ? [`${left} runs left out: the generator was the limit`] : []),
      ...conditionDifferences(baseline, candidate),
    ],
    caveats: processCaveats(sides[0]!, sides[1]!),
  };
}

function processCaveats(baseline: readonly RunResult[], candidate: readonly RunResult[]): string[] {
  const sides = [baseline, candidate];
  if (sides.some(({ length }) => length < runsToCompare)) return [];
  if (sides.every((runs) => countProcesses(runs) >= Math.min(runs.length, roundsToPair))) return [];
  const [before, after] = sides.map(countProcesses);
  return [
    `starts of the target that are known: ${before} in the baseline, ${after} in the candidate; how processes of one build differ is hardly in the intervals: start it again between rounds`,
  ];
}

/** Whether any two of its values differ: without an interval, whether anything was counted. */
function canDiffer({ comparison: { baseline, candidate, interval } }: Tested): boolean {
  return interval === null ? baseline !== 0 || candidate !== 0 : interval.some((end) => end !== 0);
}

/** P(|Z| >= z) = p. */
function zOf(p: number): number {
  let [low, high] = [0, 10];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (twoSided(middle) > p) low = middle;
    else high = middle;
  }
  return high;
}

/** In 4 of 5 cases the estimate is at most this many standard errors below the change. */
const z80 = 0.8416;

function conclude(
  { comparison, p: _, threshold }: Tested,
  p: number,
  tests: number,
  share: number,
): MetricComparison {
  const percent = `${figure(share * 100)} %`;
  const { shift, interval, by, unit } = comparison;
  const within = interval !== null && interval.every((end) => Math.abs(end) <= threshold);
  const decide = (outcome: MetricComparison['outcome'], reason: string) => ({
    ...comparison,
    smallestChange:
      interval === null
        ? null
        : ((interval[1] - interval[0]) / (2 * z95)) * (zOf(significance / Math.max(1, tests)) + z80),
    p,
    outcome,
    reason,
  });
  if (by === 'events' && comparison.baseline === 0 && comparison.candidate === 0) {
    return decide('same', 'none on either side');
  }
  if (within) return decide('same', `the whole interval lies within ${percent} of the baseline`);
  if (p >= significance) {
    return decide(
      'not-shown',
      by === 'events'
        ? 'the counts differ by no more than chance'
        : 'no difference shown, and none excluded: run more rounds',
    );
  }
  if (Math.abs(shift!) < threshold)
    return decide('not-shown', `a difference, but perhaps of less than ${percent}: run more rounds`);
  const more = shift! > 0;
  return decide(
    more === (unit === '/s') ? 'better' : 'worse',
    by === 'blocks' ? 'blocks of few runs: how runs differ is not in it' : `beyond chance and ${percent}`,
  );
}

import type { RunResult } from '../result.ts';
import { independentBlocks } from '../verdict/blocks.ts';
import { figure } from '../verdict/figure.ts';
import { generatorWasTheLimit } from '../verdict/generator-limit.ts';
import { binomialCdf, median, z95, type Interval } from '../verdict/interval.ts';
import { heaviestSteadySeconds } from '../verdict/judge-reading.ts';
import { metrics, valueOf, type Metric, type Reading } from '../verdict/metrics.ts';
import { holm, mannWhitney, shiftBetween, twoSided } from './mann-whitney.ts';

/** With fewer runs on a side no difference between runs could pass Holm's correction. */
export const runsToCompare = 6;

/** Share of the baseline below which a change does not matter, where the caller names none. */
export const practicalThreshold = 0.05;

const significance = 0.05;

export interface MetricComparison {
  metric: string;
  title: string;
  unit: string;
  outcome: 'better' | 'worse' | 'same' | 'not-shown';
  baseline: number | null;
  candidate: number | null;
  /** Candidate - baseline in the metric's unit (Hodges and Lehmann; for counts per run), with its interval of 95 %. */
  shift: number | null;
  interval: Interval | null;
  /** The smallest change that these runs show in 4 of 5 cases, after the correction; null where there is no interval. */
  smallestChange: number | null;
  /** Cliff's delta; null for counts. */
  delta: number | null;
  /** Corrected by Holm. */
  p: number | null;
  /** What was compared: whole runs, blocks of few runs, or counts of events. */
  by: 'runs' | 'blocks' | 'events' | null;
  reason: string;
}

export interface Comparison {
  metrics: MetricComparison[];
  /** Where the two sides are not alike in more than what is compared. */
  differences: string[];
}

interface Tested {
  comparison: Omit<MetricComparison, 'outcome' | 'p' | 'reason' | 'smallestChange'>;
  p: number;
  threshold: number;
}

/**
 * Compares runs of a baseline with those of a candidate, metric by metric. Runs in which the generator was the limit are left out.
 * `threshold`: the share of the baseline below which a change does not matter.
 */
export function compare(
  baseline: readonly RunResult[],
  candidate: readonly RunResult[],
  threshold = practicalThreshold,
): Comparison {
  const sides = [baseline, candidate].map((runs) => runs.filter((run) => !generatorWasTheLimit(run)));
  const tested = metrics.map((metric) => test(metric, sides[0]!, sides[1]!, threshold));
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
  };
}

/** Whether any two of its values differ: without an interval, whether anything was counted. */
function canDiffer({ comparison: { baseline, candidate, interval } }: Tested): boolean {
  return interval === null ? baseline !== 0 || candidate !== 0 : interval.some((end) => end !== 0);
}

function test(
  metric: Metric,
  baseline: readonly RunResult[],
  candidate: readonly RunResult[],
  threshold: number,
): Tested | MetricComparison {
  const { name, title, unit } = metric;
  const [a, b] = [baseline, candidate].map((runs) =>
    runs.map((run) => ({ run, reading: metric.read(run) })).filter(isMeasured),
  );
  const named = { metric: name, title, unit, baseline: null, candidate: null };
  if (a!.length === 0 || b!.length === 0) {
    const side = a!.length === 0 ? 'baseline' : 'candidate';
    return {
      ...named,
      outcome: 'not-shown',
      shift: null,
      interval: null,
      smallestChange: null,
      delta: null,
      p: null,
      by: null,
      reason: `not measured in the ${side}`,
    };
  }
  if (a![0]!.reading.kind === 'count') return testCounts(named, a!, b!);
  const values = [a!, b!].map((side) => side.map(({ reading }) => valueOf(reading)));
  const byRuns = Math.min(a!.length, b!.length) >= runsToCompare;
  const blocks = [a!, b!].map((side) => side.flatMap(blocksOf));
  const [x, y] = byRuns || blocks.some((each) => each.length < runsToCompare) ? values : blocks;
  const { p, delta } = mannWhitney(x!, y!);
  const { estimate, interval } = shiftBetween(x!, y!);
  const middle = median(x!);
  return {
    comparison: {
      ...named,
      baseline: median(values[0]!),
      candidate: median(values[1]!),
      shift: estimate,
      interval,
      delta,
      by: x === values[0] ? 'runs' : 'blocks',
    },
    p,
    threshold: threshold * Math.abs(middle),
  };
}

interface MeasuredRun {
  run: RunResult;
  reading: Exclude<Reading, { kind: 'missing' }>;
}

function isMeasured(each: { run: RunResult; reading: Reading }): each is MeasuredRun {
  return each.reading.kind !== 'missing';
}

function blocksOf({ run, reading }: MeasuredRun): number[] {
  return reading.kind === 'blocks' ? independentBlocks(heaviestSteadySeconds(run), reading.block).values : [];
}

/** Two counts, by the binomial test of one given both: their shares of what could be counted. */
function testCounts(
  named: Pick<MetricComparison, 'metric' | 'title' | 'unit' | 'baseline' | 'candidate'>,
  a: readonly MeasuredRun[],
  b: readonly MeasuredRun[],
): Tested {
  const total = (side: readonly MeasuredRun[], key: 'count' | 'of') =>
    side.reduce((sum, { reading }) => sum + (reading.kind === 'count' ? reading[key] : 0), 0);
  const [before, after] = [total(a, 'count'), total(b, 'count')];
  const share = total(b, 'of') / (total(a, 'of') + total(b, 'of'));
  const all = before + after;
  const tail = Math.min(binomialCdf(after, all, share), 1 - binomialCdf(after - 1, all, share));
  const [x, y] = [before / a.length, after / b.length];
  return {
    comparison: {
      ...named,
      baseline: x,
      candidate: y,
      shift: y - x,
      interval: null,
      delta: null,
      by: 'events',
    },
    p: Math.min(1, 2 * tail),
    threshold: 0,
  };
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

function conditionDifferences(baseline: readonly RunResult[], candidate: readonly RunResult[]): string[] {
  const of: Record<string, (run: RunResult) => string> = {
    scenario: (run) => run.scenario.name,
    target: (run) => run.target.kind,
    node: (run) => run.conditions.node,
    cpu: (run) => `${run.conditions.cpuCount} x ${run.conditions.cpuModel}`,
  };
  return Object.entries(of).flatMap(([name, read]) => {
    const [a, b] = [baseline, candidate].map((runs) => [...new Set(runs.map(read))].toSorted().join(', '));
    return a === b ? [] : [`${name}: ${a} in the baseline, ${b} in the candidate`];
  });
}

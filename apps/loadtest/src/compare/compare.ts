import type { RunResult } from '../result.ts';
import { independentBlocks } from '../verdict/blocks.ts';
import { binomialCdf, median, type Interval } from '../verdict/interval.ts';
import { heaviestSteadySeconds } from '../verdict/judge-reading.ts';
import { metrics, valueOf, type Metric, type Reading } from '../verdict/metrics.ts';
import { holm, mannWhitney, shiftBetween } from './mann-whitney.ts';

/** With fewer runs on a side no difference between runs could pass Holm's correction. */
export const runsToCompare = 6;

/** Share of the baseline below which a change does not matter. */
export const practicalThreshold = 0.1;

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
  comparison: Omit<MetricComparison, 'outcome' | 'p' | 'reason'>;
  p: number;
  threshold: number;
}

/** Compares runs of a baseline with those of a candidate, metric by metric. Runs in which the generator was the limit are left out. */
export function compare(baseline: readonly RunResult[], candidate: readonly RunResult[]): Comparison {
  const sides = [baseline, candidate].map((runs) => runs.filter((run) => run.generator.limits.length === 0));
  const tested = metrics.map((metric) => test(metric, sides[0]!, sides[1]!));
  const adjusted = holm(tested.filter((each) => 'threshold' in each).map(({ p }) => p));
  let at = 0;
  const left = baseline.length + candidate.length - sides[0]!.length - sides[1]!.length;
  return {
    metrics: tested.map((each) => ('threshold' in each ? conclude(each, adjusted[at++]!) : each)),
    differences: [
      ...(left ? [`${left} runs left out: the generator was the limit`] : []),
      ...conditionDifferences(baseline, candidate),
    ],
  };
}

function test(
  metric: Metric,
  baseline: readonly RunResult[],
  candidate: readonly RunResult[],
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
    threshold: practicalThreshold * Math.abs(middle),
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

function conclude({ comparison, p: _, threshold }: Tested, p: number): MetricComparison {
  const { shift, interval, by, unit } = comparison;
  const within = interval !== null && interval.every((end) => Math.abs(end) <= threshold);
  const decide = (outcome: MetricComparison['outcome'], reason: string) => ({
    ...comparison,
    p,
    outcome,
    reason,
  });
  if (by === 'events' && comparison.baseline === 0 && comparison.candidate === 0) {
    return decide('same', 'none on either side');
  }
  if (within) return decide('same', 'the whole interval lies within 10 % of the baseline');
  if (p >= significance) {
    return decide(
      'not-shown',
      by === 'events'
        ? 'the counts differ by no more than chance'
        : 'no difference shown, and none excluded: run more rounds',
    );
  }
  if (Math.abs(shift!) < threshold)
    return decide('not-shown', 'a difference, but perhaps of less than 10 %: run more rounds');
  const more = shift! > 0;
  return decide(
    more === (unit === '/s') ? 'better' : 'worse',
    by === 'blocks' ? 'blocks of few runs: how runs differ is not in it' : 'beyond chance and 10 %',
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

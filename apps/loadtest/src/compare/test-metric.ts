import type { RunResult } from '../result.ts';
import { independentBlocks } from '../verdict/blocks.ts';
import { binomialCdf, median } from '../verdict/interval.ts';
import { heaviestSteadySeconds } from '../verdict/judge-reading.ts';
import { valueOf, type Metric, type Reading } from '../verdict/metrics.ts';
import { mannWhitney, shiftBetween } from './mann-whitney.ts';
import type { MetricComparison } from './metric-comparison.ts';
import { countProcesses, firstOfEachProcess } from './processes.ts';
import { roundsToPair, type Round } from './rounds.ts';
import { centreOf, signedRank } from './signed-rank.ts';

/** With fewer runs on a side no difference between runs could pass Holm's correction. */
export const runsToCompare = 6;

/** A metric that both sides measured, before the correction for the number of metrics. */
export interface Tested {
  comparison: Omit<MetricComparison, 'outcome' | 'p' | 'reason' | 'smallestChange'>;
  p: number;
  /** In the metric's unit. */
  threshold: number;
}

type Named = Pick<MetricComparison, 'metric' | 'title' | 'unit'>;

/** Tests one metric, in pairs where there are `rounds`. What a side did not measure is not shown. */
export function testMetric(
  metric: Metric,
  baseline: readonly RunResult[],
  candidate: readonly RunResult[],
  rounds: readonly Round[] | null,
  threshold: number,
): Tested | MetricComparison {
  const named: Named = { metric: metric.name, title: metric.title, unit: metric.unit };
  const read = (run: RunResult): MeasuredRun[] => {
    const reading = metric.read(run);
    return reading.kind === 'missing' ? [] : [{ run, reading }];
  };
  if (metric.isOfProcess && Math.min(countProcesses(baseline), countProcesses(candidate)) < runsToCompare)
    return notShown(named, 'runs of one process measure it once: start the target again between rounds');
  const of = metric.isOfProcess ? firstOfEachProcess : (runs: readonly RunResult[]) => runs;
  const [a, b] = [of(baseline).flatMap(read), of(candidate).flatMap(read)];
  if (a.length === 0 || b.length === 0)
    return notShown(named, `not measured in the ${a.length === 0 ? 'baseline' : 'candidate'}`);
  if (a[0]!.reading.kind === 'count') return testCounts(named, a, b);
  const pairs = (rounds ?? []).flatMap((round): [number, number][] => {
    const [x, y] = [a, b].map((side, i) =>
      side.find(({ run }) => run === (i ? round.candidate : round.baseline)),
    );
    return x && y ? [[valueOf(x.reading), valueOf(y.reading)]] : [];
  });
  return pairs.length >= roundsToPair
    ? testPairs(named, pairs, threshold)
    : testSamples(named, a, b, threshold);
}

interface MeasuredRun {
  run: RunResult;
  reading: Exclude<Reading, { kind: 'missing' }>;
}

function notShown(named: Named, reason: string): MetricComparison {
  return {
    ...named,
    outcome: 'not-shown',
    baseline: null,
    candidate: null,
    shift: null,
    interval: null,
    ratio: null,
    smallestChange: null,
    delta: null,
    p: null,
    by: null,
    test: null,
    rounds: null,
    reason,
  };
}

/** Pairs by their ratios, where there is nothing at or below zero: what slows a machine down multiplies what it costs. */
function testPairs(named: Named, pairs: readonly [number, number][], threshold: number): Tested {
  const isRatio = pairs.every(([x, y]) => x > 0 && y > 0);
  const differences = pairs.map(([x, y]) => (isRatio ? Math.log(y / x) : y - x));
  const { p, delta } = signedRank(differences);
  const { estimate, interval } = centreOf(differences);
  const [before, after] = [median(pairs.map(([x]) => x)), median(pairs.map(([, y]) => y))];
  const shiftOf = (centre: number): number => (isRatio ? before * Math.expm1(centre) : centre);
  return {
    comparison: {
      ...named,
      baseline: before,
      candidate: after,
      shift: shiftOf(estimate),
      interval: interval && [shiftOf(interval[0]), shiftOf(interval[1])],
      ratio:
        isRatio && interval
          ? { estimate: Math.exp(estimate), interval: [Math.exp(interval[0]), Math.exp(interval[1])] }
          : null,
      delta,
      by: 'rounds',
      test: 'signed-rank',
      rounds: pairs.length,
    },
    p,
    threshold: threshold * Math.abs(before),
  };
}

function testSamples(
  named: Named,
  a: readonly MeasuredRun[],
  b: readonly MeasuredRun[],
  threshold: number,
): Tested {
  const values = [a, b].map((side) => side.map(({ reading }) => valueOf(reading)));
  const byRuns = Math.min(a.length, b.length) >= runsToCompare;
  const blocks = [a, b].map((side) => side.flatMap(blocksOf));
  const [x, y] = byRuns || blocks.some((each) => each.length < runsToCompare) ? values : blocks;
  const { p, delta } = mannWhitney(x!, y!);
  const { estimate, interval } = shiftBetween(x!, y!);
  return {
    comparison: {
      ...named,
      baseline: median(values[0]!),
      candidate: median(values[1]!),
      shift: estimate,
      interval,
      ratio: null,
      delta,
      by: x === values[0] ? 'runs' : 'blocks',
      test: 'mann-whitney',
      rounds: null,
    },
    p,
    threshold: threshold * Math.abs(median(x!)),
  };
}

function blocksOf({ run, reading }: MeasuredRun): number[] {
  return reading.kind === 'blocks' ? independentBlocks(heaviestSteadySeconds(run), reading.block).values : [];
}

/** Two counts, by the binomial test of one given both: their shares of what could be counted. */
function testCounts(named: Named, a: readonly MeasuredRun[], b: readonly MeasuredRun[]): Tested {
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
      ratio: null,
      delta: null,
      by: 'events',
      test: 'binomial',
      rounds: null,
    },
    p: Math.min(1, 2 * tail),
    threshold: 0,
  };
}

import type { ObjectiveResult, Second } from '../result.ts';
import { independentBlocks } from './blocks.ts';
import { figure } from './figure.ts';
import {
  countInterval,
  dispersion,
  fewestForMedian,
  median,
  medianInterval,
  shareInterval,
  z95,
  zeroBound,
  type Interval,
} from './interval.ts';
import type { Measured } from './measured.ts';
import type { Reading } from './metrics.ts';

export type Judgement = Pick<ObjectiveResult, 'value' | 'interval' | 'outcome' | 'reason' | 'smallestChange'>;

export interface Bound {
  result: Measured;
  bound: number;
  relation: 'at-most' | 'at-least';
  unit: string;
  toDecide: string;
}

/** Two runs like this one differ visibly (5 %, in 4 of 5 cases) from this many standard errors of one. */
const visibleErrors = (z95 + 0.8416) * Math.SQRT2;

/** A rate within 1 % of the bound keeps it: the seconds of a timeline are not exact to more. */
const rateTolerance = 0.01;

/** Nobody runs a load test for longer than this to decide one figure. */
const longestRunS = 8 * 3600;

export function judgeReading(reading: Reading, asked: Bound): Judgement {
  switch (reading.kind) {
    case 'missing':
      return {
        value: null,
        interval: null,
        outcome: 'not-shown',
        reason: `${reading.missing}: ${reading.toDecide ?? asked.toDecide}`,
        smallestChange: null,
      };
    case 'blocks':
      return judgeBlocks(reading, asked);
    case 'count':
      return judgeCount(reading, asked);
    case 'share':
      return judgeShare(reading, asked);
    case 'rate':
      return judgeRate(reading, asked);
    case 'figure':
      return judgeFigure(reading, asked);
    case 'slope':
      return judgeSlope(reading, asked);
  }
}

const keeps = (value: number, { bound, relation }: Bound) =>
  relation === 'at-most' ? value <= bound : value >= bound;

function judgeBlocks(reading: Reading & { kind: 'blocks' }, asked: Bound): Judgement {
  const seconds = heaviestSteadySeconds(asked.result);
  const blocks = independentBlocks(seconds, reading.block);
  const interval = medianInterval(blocks.values);
  const { value } = reading;
  const shown = { value, interval, smallestChange: null };
  if (!interval) {
    const more = fewestForMedian * blocks.seconds - seconds.length;
    return {
      ...shown,
      outcome: 'not-shown',
      reason: `${blocks.values.length} blocks of ${blocks.seconds} s, and ${fewestForMedian} are needed: ${asked.toDecide}, ${Math.max(more, blocks.seconds)} s more`,
    };
  }
  const [low, high] = interval;
  const smallestChange = ((high - low) / (2 * z95)) * visibleErrors;
  const range = `${figure(low)} to ${figure(high)} ${asked.unit} by ${blocks.values.length} blocks of ${blocks.seconds} s`;
  const [best, worst] = asked.relation === 'at-most' ? [low, high] : [high, low];
  const breaking = blocks.values.filter((each) => !keeps(each, asked)).length;
  if (!keeps(value, asked)) {
    if (!keeps(best, asked)) {
      return {
        ...shown,
        smallestChange,
        outcome: 'missed',
        reason: `the run and its blocks break it: ${range}`,
      };
    }
    // So many bad moments that the quantile over the run is above the bound by more than chance.
    const rare = 1 - (reading.quantile ?? 0.5);
    if (shareInterval(breaking, blocks.values.length)[0] > rare) {
      return {
        ...shown,
        smallestChange,
        outcome: 'missed',
        reason: `${breaking} of ${blocks.values.length} blocks of ${blocks.seconds} s break it`,
      };
    }
  }
  if (keeps(value, asked) && keeps(worst, asked)) {
    if (blocks.independent) return { ...shown, smallestChange, outcome: 'met', reason: range };
    const more = fewestForMedian * blocks.seconds * 2 - seconds.length;
    return {
      ...shown,
      outcome: 'not-shown',
      reason: `neighbouring blocks of ${blocks.seconds} s depend on each other, so ${range} is too narrow: ${asked.toDecide}, ${Math.max(more, blocks.seconds)} s more`,
    };
  }
  return {
    ...shown,
    smallestChange,
    outcome: 'not-shown',
    reason: `${figure(value)} ${asked.unit} in the run, ${range}: ${secondsMore(interval, blocks.values, seconds.length, asked)}`,
  };
}

/** The interval narrows with the root of the time. */
function secondsMore(interval: Interval, values: number[], ranS: number, asked: Bound): string {
  const half = (interval[1] - interval[0]) / 2;
  const gap = Math.abs(median(values) - asked.bound);
  const moreS = Math.ceil(ranS * Math.max(1, (half / gap) ** 2 - 1));
  return moreS <= longestRunS
    ? `${asked.toDecide}, ${moreS} s more`
    : 'too near the bound for any run to decide; compare it with a baseline';
}

/** Seconds of the stage with the most viewers that neither adds nor takes any, where it is long enough; else all. */
export function heaviestSteadySeconds({ stages, timeline }: Measured): readonly Second[] {
  const steady = stages
    .filter(
      ({ viewers, fromS, toS }) =>
        viewers.atStart === viewers.atEnd && viewers.atEnd > 0 && toS - fromS >= 30,
    )
    .toSorted((a, b) => b.viewers.atEnd - a.viewers.atEnd || b.toS - b.fromS - (a.toS - a.fromS))[0];
  if (!steady) return timeline;
  const seconds = timeline.filter(({ atS }) => atS >= steady.fromS && atS < steady.toS);
  return seconds.length >= 30 ? seconds : timeline;
}

function judgeCount({ count, of, noun }: Reading & { kind: 'count' }, asked: Bound): Judgement {
  const kept = keeps(count, asked);
  return {
    value: count,
    interval: countInterval(count),
    outcome: kept ? 'met' : 'missed',
    reason:
      count === 0
        ? `none of ${figure(of)} ${noun}: below 1 in ${figure(1 / zeroBound(of))} with 95 % (3/n)`
        : `${figure(count)} of ${figure(of)} ${noun}`,
    // What happens three times on average in such a run is seen in 95 of 100.
    smallestChange: 3,
  };
}

function judgeShare({ failures, trials, parts }: Reading & { kind: 'share' }, asked: Bound): Judgement {
  const independent = trials / dispersion(parts);
  const share = failures / trials;
  const [low, high] = shareInterval(share * independent, independent);
  const interval: Interval = [low * 100, high * 100];
  const value = share * 100;
  const smallestChange =
    failures === 0 ? interval[1] : 100 * visibleErrors * Math.sqrt((share * (1 - share)) / independent);
  const [best, worst] = asked.relation === 'at-most' ? interval : [interval[1], interval[0]];
  const range = `${figure(failures)} of ${figure(trials)}, ${figure(interval[0])} to ${figure(interval[1])} %`;
  const shown = { value, interval, smallestChange };
  if (keeps(value, asked) && keeps(worst, asked)) return { ...shown, outcome: 'met', reason: range };
  if (!keeps(value, asked) && !keeps(best, asked)) return { ...shown, outcome: 'missed', reason: range };
  const more =
    failures === 0 && asked.bound > 0 ? `, at least ${figure(Math.ceil(300 / asked.bound))} of them` : '';
  return { ...shown, outcome: 'not-shown', reason: `${range}: ${asked.toDecide}${more}` };
}

function judgeRate({ value, asked: due, windowS }: Reading & { kind: 'rate' }, asked: Bound): Judgement {
  const shown = { value, interval: null, smallestChange: null };
  const bound = asked.bound * (asked.relation === 'at-least' ? 1 - rateTolerance : 1 + rateTolerance);
  const rates = `${figure(value)}${asked.unit} for ${windowS} s, of ${figure(due)}${asked.unit} asked for`;
  if (keeps(value, { ...asked, bound })) return { ...shown, outcome: 'met', reason: rates };
  if (asked.relation === 'at-least' && due < bound) {
    return { ...shown, outcome: 'not-shown', reason: `${rates}: ${asked.toDecide}` };
  }
  return { ...shown, outcome: 'missed', reason: rates };
}

function judgeSlope({ value, interval, by }: Reading & { kind: 'slope' }, asked: Bound): Judgement {
  const [low, high] = interval;
  const smallestChange = ((high - low) / (2 * z95)) * visibleErrors;
  const range = `${figure(low)} to ${figure(high)} ${asked.unit} by ${by}`;
  const shown = { value, interval, smallestChange };
  const kept = interval.filter((end) => keeps(end, asked)).length;
  if (kept === 2) return { ...shown, outcome: 'met', reason: range };
  if (kept === 0) return { ...shown, outcome: 'missed', reason: range };
  return { ...shown, outcome: 'not-shown', reason: `${range}: ${asked.toDecide}` };
}

function judgeFigure({ value, atLeastSoMuch }: Reading & { kind: 'figure' }, asked: Bound): Judgement {
  const shown = { value, interval: null, smallestChange: null };
  const text = `${figure(value)} ${asked.unit}${atLeastSoMuch ? ' or more, it had not ended' : ''}`;
  if (!atLeastSoMuch) return { ...shown, outcome: keeps(value, asked) ? 'met' : 'missed', reason: text };
  const decided = asked.relation === 'at-most' ? !keeps(value, asked) : keeps(value, asked);
  if (!decided) return { ...shown, outcome: 'not-shown', reason: `${text}: ${asked.toDecide}` };
  return { ...shown, outcome: asked.relation === 'at-most' ? 'missed' : 'met', reason: text };
}

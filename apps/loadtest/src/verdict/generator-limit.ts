import type { RunResult } from '../result.ts';
import { figure } from './figure.ts';
import { judgeReading, type Bound, type Judgement } from './judge-reading.ts';
import type { Measured } from './measured.ts';
import type { Metric, Reading } from './metrics.ts';

/** A generator that is at a limit for more of a run, and more than a second, does not put the scenario's load on its target. */
const tolerable = 0.05;

/** Whether figures of speed say more about the generator than about the target. Counts are complete whatever it does. */
export function generatorWasTheLimit({ generator, timeline }: Pick<RunResult, 'generator' | 'timeline'>) {
  return generator.limitedS.length > Math.max(1, tolerable * timeline.length);
}

/**
 * What is left of a judgement where the generator was at a limit. A generator that is late, held up or busy makes figures worse, never
 * better, so what is met in spite of it stays met; what is missed stays so only if it is missed without those seconds.
 */
export function withinLimits(judgement: Judgement, metric: Metric, asked: Bound): Judgement {
  const { generator } = asked.result;
  if (generator.limitedS.length === 0 || metric.kind === 'integrity' || judgement.outcome === 'not-shown')
    return judgement;
  const limits = generator.limits.join('; ');
  if (generatorWasTheLimit(asked.result))
    return notShown(judgement, `the generator was the limit (${limits})`);
  const worse = metric.kind === 'rate' ? 'at-least' : 'at-most';
  if (asked.relation !== worse) return notShown(judgement, `the generator was at a limit (${limits})`);
  if (judgement.outcome === 'met') return judgement;

  const result = withoutLimited(asked.result);
  const rest = judgeReading(readingOf(metric, result, asked.result), { ...asked, result });
  if (rest.outcome === 'missed') return judgement;
  const value =
    rest.value === null ? '' : `, and without those seconds it is ${figure(rest.value)} ${asked.unit}`;
  return notShown(judgement, `the generator was at a limit (${limits})${value}`);
}

function notShown(judgement: Judgement, why: string): Judgement {
  return {
    ...judgement,
    outcome: 'not-shown',
    reason: `${why}: run it on a machine of its own or with less load`,
  };
}

/** A run without the seconds in which the generator was at a limit, and without the faults whose recovery has one. */
function withoutLimited(run: Measured): Measured {
  const { limitedS } = run.generator;
  return {
    ...run,
    timeline: run.timeline.filter(({ atS }) => !limitedS.includes(atS)),
    faults: run.faults.filter(
      ({ endedS, recoveredS }) =>
        !limitedS.some((atS) => atS + 1 > endedS && atS <= (recoveredS ?? run.durationS)),
    ),
  };
}

/** What the metric is in the rest of a run. */
function readingOf(metric: Metric, rest: Measured, whole: Measured): Reading {
  const reading = metric.read(rest);
  switch (reading.kind) {
    case 'blocks': {
      const value = reading.block(rest.timeline);
      return value === null ? nothing : { ...reading, value };
    }
    case 'share': {
      const failures = sum(whole, 'connectFailures') - sum(rest, 'connectFailures');
      const trials = failures + sum(whole, 'connects') - sum(rest, 'connects');
      return trials < reading.trials
        ? { ...reading, failures: Math.max(0, reading.failures - failures), trials: reading.trials - trials }
        : nothing;
    }
    case 'rate':
      // Other seconds may have been slow for it, too.
      return nothing;
    default:
      return reading;
  }
}

const nothing: Reading = { kind: 'missing', missing: 'nothing is left' };

function sum({ timeline }: Measured, key: 'connects' | 'connectFailures'): number {
  return timeline.reduce((total, second) => total + second[key], 0);
}

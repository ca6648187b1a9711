import type { ObjectiveResult, Verdict } from '../result.ts';
import { metricNamed } from './objective.ts';

const headroom = 0.25;

/**
 * A letter beside the verdict, by what docs/loadtest-verdict.md defines: A all met with headroom of 25 %; B all met; C missed by at most 25 %;
 * D missed by more; F something was lost, doubled or otherwise wrong. Null where the verdict, or what the letter would claim, is not shown.
 */
export function gradeOf(overall: Verdict['overall'], results: readonly ObjectiveResult[]): string | null {
  if (overall === 'not-shown') return null;
  const missed = results.filter(({ outcome }) => outcome === 'missed');
  if (missed.some(({ metric }) => metricNamed(metric).kind === 'integrity')) return 'F';
  // C and D say that nothing worse is wrong.
  if (results.some(({ outcome }) => outcome === 'not-shown')) return null;
  if (missed.length) return missed.every(missedByLittle) ? 'C' : 'D';
  return results.every(hasHeadroom) ? 'A' : 'B';
}

function missedByLittle({ relation, value, bound }: ObjectiveResult): boolean {
  return relation === 'at-most' ? value! <= bound * (1 + headroom) : value! >= bound * (1 - headroom);
}

/** A count of 0 has none to have; a rate cannot show more than was asked for. */
function hasHeadroom({ metric, relation, value, interval, bound }: ObjectiveResult): boolean {
  const { kind } = metricNamed(metric);
  if (kind === 'rate' || (kind === 'integrity' && bound === 0)) return true;
  const worst =
    kind === 'integrity'
      ? value!
      : relation === 'at-most'
        ? (interval?.[1] ?? value!)
        : (interval?.[0] ?? value!);
  return relation === 'at-most'
    ? Math.max(value!, worst) <= bound * (1 - headroom)
    : Math.min(value!, worst) >= bound * (1 + headroom);
}

import { figure } from '../verdict/figure.ts';
import type { Comparison } from './compare.ts';
import type { MetricComparison } from './metric-comparison.ts';

const order = ['worse', 'better', 'not-shown', 'same'] as const;

/** A comparison as lines of text, what got worse first. */
export function compareLines({ metrics, differences, caveats }: Comparison): string[] {
  const sorted = metrics.toSorted((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return [
    ...differences.map((difference) => `not alike: ${difference}`),
    ...caveats.map((caveat) => `note: ${caveat}`),
    ...sorted.map(line),
  ];
}

function line({
  outcome,
  metric,
  unit,
  baseline,
  candidate,
  interval,
  ratio,
  by,
  rounds,
  smallestChange,
  p,
  reason,
}: MetricComparison): string {
  const name = `${outcome.replace('-', ' ').padEnd(9)} ${metric.padEnd(27)}`;
  if (baseline === null || candidate === null) return `${name} ${reason}`;
  const change = interval ? `, change ${signed(interval[0])} to ${signed(interval[1])}` : '';
  const share = ratio ? ` (${ratio.interval.map(percent).join(' to ')})` : '';
  const seen = smallestChange === null ? '' : `; it shows changes from ${figure(smallestChange)} ${unit} on`;
  const test = by === 'rounds' ? `${testNames.rounds} of ${rounds} rounds` : testNames[by!];
  return `${name} ${figure(baseline)} -> ${figure(candidate)} ${unit}${change}${share}, p ${figure(p!)} by ${test}: ${reason}${seen}`;
}

const testNames = {
  rounds: "Wilcoxon's signed-rank test",
  runs: "Mann and Whitney's test of whole runs",
  blocks: "Mann and Whitney's test of blocks",
  events: 'the binomial test',
};

const signed = (value: number) => `${value > 0 ? '+' : ''}${figure(value)}`;
const percent = (ratio: number) => `${signed(100 * (ratio - 1))} %`;

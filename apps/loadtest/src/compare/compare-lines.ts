import { figure } from '../verdict/figure.ts';
import type { Comparison, MetricComparison } from './compare.ts';

const order = ['worse', 'better', 'not-shown', 'same'] as const;

/** A comparison as lines of text, what got worse first. */
export function compareLines({ metrics, differences }: Comparison): string[] {
  const sorted = metrics.toSorted((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return [...differences.map((difference) => `not alike: ${difference}`), ...sorted.map(line)];
}

function line({
  outcome,
  metric,
  unit,
  baseline,
  candidate,
  interval,
  smallestChange,
  p,
  reason,
}: MetricComparison): string {
  const name = `${outcome.replace('-', ' ').padEnd(9)} ${metric.padEnd(27)}`;
  if (baseline === null || candidate === null) return `${name} ${reason}`;
  const change = interval ? `, change ${signed(interval[0])} to ${signed(interval[1])}` : '';
  const seen = smallestChange === null ? '' : `; it shows changes from ${figure(smallestChange)} ${unit} on`;
  return `${name} ${figure(baseline)} -> ${figure(candidate)} ${unit}${change}, p ${figure(p!)}: ${reason}${seen}`;
}

const signed = (value: number) => `${value > 0 ? '+' : ''}${figure(value)}`;

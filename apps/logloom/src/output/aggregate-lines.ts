import { colors as pc } from './colors.ts';
import { tableLines } from './table-lines.ts';

/** The response to `GET /api/aggregate`. */
export interface AggregateResult {
  groups: {
    key: Record<string, string | null>;
    value: number | null;
    count: number;
    missing?: number;
    buckets?: { timestamp: string; value: number | null }[];
  }[];
  other: { groups: number; events: number };
  exact: boolean;
  intervalMs?: number;
  from?: string;
  to?: string;
}

const bars = '▁▂▃▄▅▆▇█';

/** The groups as a table, each with its course over time if there is one; `metric` heads the values. */
export function aggregateLines(result: AggregateResult, fields: readonly string[], metric: string): string[] {
  const { groups, other, exact, intervalMs, from, to } = result;
  const isCount = groups.every(({ missing }) => missing === undefined);
  const highest = Math.max(...groups.flatMap(({ buckets = [] }) => buckets.map(({ value }) => value ?? 0)));
  const heads = [...fields, metric, ...(isCount ? [] : ['events', 'without'])];
  const rows = groups.map(({ key, value, count, missing, buckets }) => [
    ...fields.map((field) => key[field] ?? '(none)'),
    value === null ? null : Number(value.toPrecision(9)),
    ...(isCount ? [] : [count, missing ?? 0]),
    ...(buckets === undefined ? [] : [buckets.map(({ value: each }) => bar(each, highest)).join('')]),
  ]);
  const notes = [
    ...(intervalMs === undefined
      ? []
      : [`${from} to ${to}, ${intervalMs} ms each; the highest is ${highest}`]),
    ...(exact ? [] : ['values are estimates']),
    ...(other.groups > 0 ? [`${other.groups} more groups with ${other.events} events`] : []),
  ];
  return [
    ...tableLines(intervalMs === undefined ? heads : [...heads, 'over time'], rows),
    ...notes.map((note) => pc.dim(note)),
  ];
}

/** A blank for an interval without a value. */
function bar(value: number | null, highest: number): string {
  if (value === null) return ' ';
  return bars[Math.max(0, Math.min(7, Math.round((value / highest) * 7)))] ?? bars[0]!;
}

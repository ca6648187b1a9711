import type { Expression } from '../expression.ts';

/** A LogQL query over metrics, as far as it can be translated. */
export type Metric =
  | { type: 'number'; value: number }
  /** vector(0). */
  | { type: 'vector'; value: number }
  | { type: 'binary'; operator: string; left: Metric; right: Metric }
  | { type: 'aggregate'; operation: string; grouping: Grouping | null; of: Metric }
  | RangeMetric;

export interface RangeMetric {
  type: 'range';
  /** Such as count_over_time. */
  operation: string;
  /** Of quantile_over_time. */
  parameter: number | null;
  /** Which events; all must hold. */
  clauses: readonly Expression[];
  /** The field whose numbers count. */
  unwrap: string | null;
  rangeMs: number;
  offsetMs: number;
  grouping: Grouping | null;
}

export interface Grouping {
  isWithout: boolean;
  fields: string[];
}

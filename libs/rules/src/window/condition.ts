import type { Filter } from '@logloom/filter';

export type Operator = '>' | '>=' | '<' | '<=';

/** What is measured over the events or requests of a key in a window. */
export type Measure =
  | { type: 'count'; filter: Filter | null }
  /** `perMs`: the unit of time. */
  | { type: 'rate'; perMs: number }
  | { type: 'ratio'; filter: Filter }
  | { type: 'sum' | 'avg' | 'min' | 'max' | 'distinct'; field: string }
  /** `quantile` in (0, 1), by the nearest rank. */
  | { type: 'quantile'; quantile: number; field: string }
  /** How often one that passes the filter follows one that does not, or the other way round. */
  | { type: 'flapping'; filter: Filter };

/** One part of a condition. All of its parts have to hold. */
export type Term =
  | {
      type: 'compare';
      measure: Measure;
      operator: Operator;
      /** Of a ratio and of `of`, 1 is 100 %; of a rate, events per its unit; of a field, what the field is in (a time: ms). */
      value: number;
      /** What `value` is relative to: the window before, or the one a day before. */
      of: 'previous' | 'yesterday' | null;
    }
  /** Nothing of a key that was seen before. */
  | { type: 'absent' }
  /** A value that the field never had before; null stands for the template of the message. */
  | { type: 'new'; field: string | null };

export interface Condition {
  /** As it was written. */
  text: string;
  terms: readonly Term[];
}

import type { Predicate } from '@logloom/filter';
import type { FieldValues } from '../field-values.ts';
import type { Severity } from '../severity.ts';
import type { Operator } from './condition.ts';

/** A rule over many events or requests, compiled. */
export interface WindowRule {
  name: string;
  /** Its place in the file, from 0. */
  index: number;
  /**
   * 12 hexadecimal digits for what it decides by. While a file is changed, a rule that keeps its id keeps its state.
   */
  id: string;
  of: 'events' | 'requests';
  message: string;
  severity: Severity | null;
  labels: Readonly<Record<string, string>>;
  webhook: string | null;
  when: Predicate;
  /** The fields whose values make a key; those of a rule without any are all in one. */
  by: readonly KeyField[];
  /** Times of the log, in ms; `stepMs` divides `windowMs`. */
  windowMs: number;
  /** The condition is judged at the multiples of this time. */
  stepMs: number;
  /** What is kept of each step of a key beside the count. */
  columns: readonly Column[];
  condition: WindowCondition;
  /** What the alert says its condition is. */
  conditionText: string;
  /** When it is resolved; null: as soon as the condition no longer holds. */
  until: WindowCondition | null;
  /** How long the condition holds before it fires. */
  forMs: number;
  /** A key of which nothing came for this long is forgotten. */
  forgetMs: number;
  sequence: KeySequence | null;
  /** How long after its last match an alert of a sequence is resolved, ms. */
  resolveMs: number;
  /** Which ones an alert names; null: any that pass `when`. */
  example: Predicate | null;
}

export interface KeyField {
  name: string;
  values: FieldValues;
}

/** What has to follow `times` that passed `when`, or must not be missing after one. */
export interface KeySequence {
  kind: 'then' | 'without';
  times: number;
  withinMs: number;
}

/** A value that steps keep, so that a window is their sum. */
export type Column =
  /** How many pass. */
  | { type: 'passing'; test: Predicate }
  /** The sum of a field's numbers, and how many there are. */
  | { type: 'sum'; numbers: FieldNumbers }
  | { type: 'min' | 'max'; numbers: FieldNumbers }
  /** The values, up to this many. */
  | { type: 'distinct'; values: FieldValues; most: number }
  /** How many numbers are below each bound (or equal to it), which decides a percentile exactly, and a histogram, which shows it. */
  | { type: 'quantile'; numbers: FieldNumbers; bounds: readonly QuantileBound[] }
  /** Each one by its time, with the tests that it passes as bits. */
  | { type: 'marks'; tests: readonly Predicate[] };

export interface QuantileBound {
  value: number;
  /** Whether equal numbers count. */
  inclusive: boolean;
}

export type FieldNumbers = (subject: Parameters<FieldValues>[0]) => readonly number[];

export type WindowCondition = readonly CompiledTerm[];

/** `column` is an index of WindowRule.columns; -1 is the count. */
export type CompiledTerm =
  | {
      type: 'compare';
      measure: CompiledMeasure;
      operator: Operator;
      value: number;
      of: 'previous' | 'yesterday' | null;
    }
  | { type: 'absent' | 'new' };

export type CompiledMeasure =
  | { type: 'count' | 'sum' | 'avg' | 'min' | 'max' | 'distinct' | 'flapping' | 'ratio'; column: number }
  | { type: 'rate'; perMs: number }
  /** `bound` is an index of the column's bounds. */
  | { type: 'quantile'; column: number; quantile: number; bound: number };

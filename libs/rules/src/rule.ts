import { compilePredicate, type Filter, type Predicate } from '@logloom/filter';
import { durationMs } from '@logloom/schemas';
import { fieldValues, type FieldValues } from './field-values.ts';
import type { RuleText } from './rule-schema.ts';
import type { Severity } from './severity.ts';

/** A rule, compiled. */
export interface Rule {
  name: string;
  /** Its place in the file, from 0. */
  index: number;
  /** What an alert says. */
  message: string;
  when: Predicate;
  /** How many events must have passed `when`. */
  count: number;
  distinct: { values: FieldValues; count: number } | null;
  sequence: Sequence | null;
  severity: Severity | null;
  labels: Readonly<Record<string, string>>;
  alert: boolean;
  webhook: string | null;
  close: boolean | 'final';
  /** How long (ms) after its last match its alert is resolved; null: the default. */
  resolveMs: number | null;
}

/** What has to follow an event that passed `when`, or what must not be missing after it. */
export interface Sequence {
  kind: 'then' | 'without';
  next: Predicate;
  /** Infinity: any time. */
  withinMicros: number;
}

export function compileRule(
  text: RuleText,
  index: number,
  filters: { when: Filter; then?: Filter; without?: Filter },
): Rule {
  const next = filters.then ?? filters.without;
  return {
    name: text.name,
    index,
    message: text.description ?? text.name,
    when: compilePredicate(filters.when),
    count: text.count ?? 1,
    distinct:
      text.distinct === undefined
        ? null
        : { values: fieldValues(text.distinct.field), count: text.distinct.count },
    sequence:
      next === undefined
        ? null
        : {
            kind: filters.then === undefined ? 'without' : 'then',
            next: compilePredicate(next),
            withinMicros: text.within === undefined ? Infinity : durationMs(text.within) * 1000,
          },
    severity: text.severity ?? null,
    labels: text.labels ?? {},
    alert: text.alert === true || text.webhook !== undefined,
    webhook: text.webhook ?? null,
    close: text.close ?? false,
    resolveMs: text.resolve === undefined ? null : durationMs(text.resolve),
  };
}

import {
  aboutCorrelations,
  compilePredicate,
  parseFilter,
  type Filter,
  type FilterSubject,
  type Predicate,
} from '@logloom/filter';
import { durationMs } from '@logloom/schemas';
import { createHash } from 'node:crypto';
import { fieldValues, type FieldValues } from '../field-values.ts';
import type { RuleText } from '../rule-schema.ts';
import type { Condition, Term } from './condition.ts';
import { maxDistinct } from './parse-condition.ts';
import { messageTemplate } from './message-template.ts';
import { requestFields } from './request-fields.ts';
import { stepOf } from './step.ts';
import type {
  Column,
  CompiledMeasure,
  CompiledTerm,
  FieldNumbers,
  KeyField,
  WindowCondition,
  WindowRule,
} from './window-rule.ts';

const dayMs = 86_400_000;
/** How long a key is known after its last event; that of `new`. */
const defaultForgetMs = dayMs;
const defaultForgetNewMs = 30 * dayMs;

const defaultResolveMs = 900_000;

export interface WindowFilters {
  when: Filter;
  then?: Filter;
  without?: Filter;
}

/** Compiles a rule whose parts are valid. `conditions` are those of `if` and `until`. */
export function compileWindowRule(
  text: RuleText,
  index: number,
  filters: WindowFilters,
  conditions: { if: Condition | undefined; until: Condition | undefined },
): WindowRule {
  const of = text.of ?? 'events';
  const compiler = new RuleCompiler(of);
  const next = filters.then ?? filters.without;
  const sequence =
    next === undefined
      ? null
      : {
          kind: filters.then === undefined ? ('without' as const) : ('then' as const),
          times: text.times ?? 1,
          withinMs: durationMs(text.within!),
        };
  const when = compiler.predicate(filters.when);
  if (next !== undefined) compiler.marks([when, compiler.predicate(next)]);
  const condition = compiler.condition(conditions.if);
  const until = conditions.until === undefined ? null : compiler.condition(conditions.until);
  const isNew = condition.some(({ type }) => type === 'new');
  const windowMs = sequence?.withinMs ?? windowOf(text);
  return {
    name: text.name,
    index,
    id: idOf(text),
    of,
    message: text.description ?? text.name,
    severity: text.severity ?? null,
    labels: text.labels ?? {},
    webhook: text.webhook ?? null,
    when: next === undefined ? when : either(when, compiler.predicate(next)),
    by: [...(text.by ?? []).map((name) => compiler.keyField(name)), ...compiler.newFields],
    windowMs,
    stepMs: typeof text.window === 'object' ? windowMs : stepOf(windowMs),
    columns: compiler.columns,
    condition,
    conditionText: conditionText(text),
    until,
    forMs: text.for === undefined ? 0 : durationMs(text.for),
    forgetMs: Math.max(
      windowMs,
      text.forget === undefined ? (isNew ? defaultForgetNewMs : defaultForgetMs) : durationMs(text.forget),
    ),
    sequence,
    resolveMs: text.resolve === undefined ? defaultResolveMs : durationMs(text.resolve),
    example: compiler.example(conditions.if),
  };
}

class RuleCompiler {
  readonly columns: Column[] = [];
  /** The fields of `new`: each of their values is a key. */
  readonly newFields: KeyField[] = [];
  readonly #of: 'events' | 'requests';
  readonly #places = new Map<string, number>();

  constructor(of: 'events' | 'requests') {
    this.#of = of;
  }

  predicate(filter: Filter): Predicate {
    if (this.#of === 'events') return compilePredicate(filter);
    const { ast } = aboutCorrelations(filter.ast, requestFields);
    return compilePredicate({ ast, canonical: filter.canonical });
  }

  keyField(name: string): KeyField {
    return { name, values: this.#values(name) };
  }

  marks(tests: readonly Predicate[]): number {
    return this.columns.push({ type: 'marks', tests }) - 1;
  }

  condition(condition: Condition | undefined): WindowCondition {
    return condition?.terms.map((term) => this.#term(term)) ?? [];
  }

  /** The ones that a condition such as `ratio(filter) > 5%` is about. */
  example(condition: Condition | undefined): Predicate | null {
    for (const term of condition?.terms ?? []) {
      if (term.type !== 'compare' || !term.operator.startsWith('>')) continue;
      const { measure, value } = term;
      if (measure.type === 'quantile' || measure.type === 'max') {
        const numbers = this.#numbers(measure.field);
        return (subject) => numbers(subject).some((number) => number >= value);
      }
      if ((measure.type === 'ratio' || measure.type === 'count') && measure.filter !== null)
        return this.predicate(measure.filter);
    }
    return null;
  }

  #term(term: Term): CompiledTerm {
    if (term.type === 'absent') return term;
    if (term.type === 'new') {
      const { field } = term;
      this.newFields.push(
        field === null
          ? { name: 'pattern', values: ({ event }) => [messageTemplate(event.message)] }
          : this.keyField(field),
      );
      return { type: 'new' };
    }
    return { ...term, measure: this.#measure(term) };
  }

  #measure({ measure, operator, value }: Term & { type: 'compare' }): CompiledMeasure {
    switch (measure.type) {
      case 'rate':
        return { type: 'rate', perMs: measure.perMs };
      case 'count':
        return { type: 'count', column: measure.filter === null ? -1 : this.#passing(measure.filter) };
      case 'ratio':
        return { type: 'ratio', column: this.#passing(measure.filter) };
      case 'flapping': {
        const { filter } = measure;
        const column = this.#place(`marks ${filter.canonical}`, () => ({
          type: 'marks',
          tests: [this.predicate(filter)],
        }));
        return { type: 'flapping', column };
      }
      case 'sum':
      case 'avg': {
        const numbers = this.#numbers(measure.field);
        return {
          type: measure.type,
          column: this.#place(`sum ${measure.field}`, () => ({ type: 'sum', numbers })),
        };
      }
      case 'min':
      case 'max': {
        const { type, field } = measure;
        const column = this.#place(`${type} ${field}`, () => ({ type, numbers: this.#numbers(field) }));
        return { type, column };
      }
      case 'distinct': {
        const column = this.#place(`distinct ${measure.field}`, () => ({
          type: 'distinct',
          values: this.#values(measure.field),
          most: 0,
        }));
        const kept = this.columns[column] as Column & { type: 'distinct' };
        kept.most = Math.min(maxDistinct, Math.max(kept.most, Math.floor(value) + 1));
        return { type: 'distinct', column };
      }
      case 'quantile': {
        const { field, quantile } = measure;
        const column = this.#place(`quantile ${field}`, () => ({
          type: 'quantile',
          numbers: this.#numbers(field),
          bounds: [],
        }));
        const kept = this.columns[column] as Column & { type: 'quantile' };
        const inclusive = operator === '>' || operator === '<=';
        kept.bounds = [...kept.bounds, { value, inclusive }];
        return { type: 'quantile', column, quantile, bound: kept.bounds.length - 1 };
      }
    }
  }

  #passing(filter: Filter): number {
    return this.#place(`passing ${filter.canonical}`, () => ({
      type: 'passing',
      test: this.predicate(filter),
    }));
  }

  #place(name: string, make: () => Column): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.columns.push(make()) - 1;
    this.#places.set(name, place);
    return place;
  }

  #values(name: string): FieldValues {
    if (this.#of === 'events') return fieldValues(name);
    return (subject) => subject.attributes.get(name)?.map(String) ?? [];
  }

  #numbers(name: string): FieldNumbers {
    const values = this.#values(name);
    return (subject: FilterSubject) =>
      values(subject)
        .filter((value) => value.trim() !== '')
        .map(Number)
        .filter(Number.isFinite);
  }
}

function either(a: Predicate, b: Predicate): Predicate {
  return (subject) => a(subject) || b(subject);
}

export function windowOf({ window }: Pick<RuleText, 'window'>): number {
  return durationMs(typeof window === 'object' ? window.tumbling : (window ?? ''));
}

function conditionText(text: RuleText): string {
  const next = text.then ?? text.without;
  if (next === undefined)
    return `${text.if!.trim()} in ${typeof text.window === 'object' ? text.window.tumbling : text.window}`;
  const times = text.times === undefined || text.times === 1 ? '' : `${text.times} times `;
  return `${times}${text.when}, ${text.then === undefined ? 'without' : 'then'} ${next} within ${text.within}`;
}

/** Filters by their meaning, so that spaces and quotes change nothing. */
function idOf(text: RuleText): string {
  const canonical = (filter: string | undefined): string | undefined => {
    const result = filter === undefined ? undefined : parseFilter(filter);
    return result?.ok === true ? result.filter.canonical : filter;
  };
  const { name, of, by, window, for: holds, times, within, forget } = text;
  const filters = [text.when, text.then, text.without].map(canonical);
  const parts = [name, of, by, window, text.if, text.until, holds, times, within, forget, ...filters];
  return createHash('sha256')
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest('hex')
    .slice(0, 12);
}

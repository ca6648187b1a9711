import type { Filter } from '@logloom/filter';
import type { RuleText } from '../rule-schema.ts';
import type { Condition } from './condition.ts';
import { doubtfulEventFields, fieldsOfFilter, unknownRequestFields } from './field-problems.ts';

type Part = 'when' | 'then' | 'without' | 'by' | 'if' | 'until' | 'distinct';

/** The fields that a rule names and what it looks at does not have, or probably has under another name. */
export function* fieldProblems(
  rule: Partial<RuleText>,
  filters: Readonly<Partial<Record<'when' | 'then' | 'without', Filter>>>,
  conditions: Readonly<Record<'if' | 'until', Condition | undefined>>,
): Generator<{ key: Part; field: string; message: string }> {
  const named: [Part, string[]][] = [];
  for (const key of ['when', 'then', 'without'] as const) {
    const filter = filters[key];
    if (filter !== undefined) named.push([key, fieldsOfFilter(filter.ast)]);
  }
  if (Array.isArray(rule.by)) named.push(['by', rule.by.filter((name) => typeof name === 'string')]);
  if (typeof rule.distinct?.field === 'string') named.push(['distinct', [rule.distinct.field]]);
  for (const key of ['if', 'until'] as const) {
    const condition = conditions[key];
    if (condition !== undefined) named.push([key, fieldsOfCondition(condition)]);
  }
  for (const [key, fields] of named) {
    const found =
      rule.of === 'requests'
        ? unknownRequestFields(fields)
        : doubtfulEventFields(fields, JSON.stringify(rule[key]));
    for (const problem of found) yield { key, ...problem };
  }
}

function fieldsOfCondition({ terms }: Condition): string[] {
  return terms.flatMap((term) => {
    if (term.type === 'absent') return [];
    if (term.type === 'new') return [term.field ?? 'message'];
    const { measure } = term;
    if ('field' in measure) return [measure.field];
    return 'filter' in measure && measure.filter !== null ? fieldsOfFilter(measure.filter.ast) : [];
  });
}

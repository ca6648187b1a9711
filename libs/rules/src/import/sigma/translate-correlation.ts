import type { RuleText } from '../../rule-schema.ts';
import { comparisonText, numberText } from '../comparison.ts';
import { formatExpression, or, type Expression } from '../expression.ts';
import { Untranslatable, type Findings } from '../imported-rule.ts';
import { frameRule } from '../rule-frame.ts';
import type { RuleMapping } from '../rule-mapping.ts';
import { measureText } from './aggregation.ts';
import { sigmaFrame } from './sigma-frame.ts';
import type { SigmaCorrelation, SigmaRule } from './sigma-rule.ts';
import { counted, detectionExpression, sigmaField, sigmaTime } from './translate-sigma.ts';

const operators: Readonly<Record<string, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '==' };
const measures: Readonly<Record<string, string>> = {
  value_count: 'count',
  value_sum: 'sum',
  value_avg: 'avg',
};

/** The rule of a correlation of Sigma 2; `rules` are those that it names. Throws Untranslatable. */
export function translateCorrelation(
  given: SigmaCorrelation,
  rules: readonly SigmaRule[],
  mapping: RuleMapping,
  findings: Findings,
): RuleText {
  const { type, timespan, aliases, condition, 'group-by': groupBy = [] } = given.correlation;
  if (aliases !== undefined) throw new Untranslatable('its aliases: here a key has one field for all events');
  const by = groupBy.map(sigmaField(mapping));
  const expressions = rules.map((rule) => {
    if (rule.detection.condition.some((text) => text.includes('|')))
      throw new Untranslatable(`${rule.title} has an aggregation of its own`);
    return detectionExpression(rule, mapping, findings);
  });
  const frame = sigmaFrame(given);
  if (type === 'temporal_ordered') {
    findings.noteKeys(by);
    return frameRule(frame, ordered(expressions, by, sigmaTime(timespan), condition));
  }
  const text =
    type === 'temporal' ? together(expressions, condition) : measured(type, condition, sigmaField(mapping));
  return frameRule(frame, counted(or(expressions), by, timespan, text, findings));
}

/** Each of them at least once, in any order. */
function together(expressions: readonly Expression[], condition: unknown): string {
  checkAll(condition, expressions.length);
  return expressions.map((expression) => `count(${formatExpression(expression)}) >= 1`).join(' and ');
}

/** One, and then the other. */
function ordered(
  expressions: readonly Expression[],
  by: string[],
  within: string,
  condition: unknown,
): Omit<RuleText, 'name'> {
  checkAll(condition, expressions.length);
  const [first, then, ...others] = expressions;
  if (then === undefined || others.length > 0)
    throw new Untranslatable(`a sequence of ${expressions.length} rules: here it has two parts`);
  return { when: formatExpression(first!), then: formatExpression(then), by, within };
}

function checkAll(condition: unknown, count: number): void {
  if (condition === undefined) return;
  const given = typeof condition === 'object' && condition !== null ? Object.entries(condition) : [];
  const isAll = given.length === 1 && ['gte', 'eq'].includes(given[0]![0]) && given[0]![1] === count;
  if (!isAll)
    throw new Untranslatable('its condition asks for some of its rules, or for a combination of them');
}

function measured(
  type: string,
  condition: SigmaCorrelation['correlation']['condition'],
  fieldOf: (name: string) => string,
): string {
  if (typeof condition !== 'object') throw new Untranslatable('its condition is not a comparison');
  const { field, percentile, ...comparisons } = condition;
  const place = typeof field === 'string' ? fieldOf(field) : undefined;
  const measure = measureOf(type, place, percentile);
  const terms = Object.entries(comparisons).map(([name, value]) =>
    comparisonText(measure, operators[name] ?? name, numberText(Number(value))),
  );
  if (terms.length === 0) throw new Untranslatable('its condition compares nothing');
  return terms.join(' and ');
}

function measureOf(type: string, field: string | undefined, percentile: unknown): string {
  if (type === 'event_count') return 'count';
  if (type === 'value_percentile') {
    const percent = Number(percentile);
    if (!(percent >= 1 && percent < 100)) throw new Untranslatable(`the percentile ${String(percentile)}`);
    return measureText(`p${String(percent).replace('.', '_')}`, field);
  }
  const measure = measures[type];
  if (measure === undefined) throw new Untranslatable(`correlations of the type ${type}`);
  if (field === undefined) throw new Untranslatable(`${type} without a field`);
  return measureText(measure, field);
}

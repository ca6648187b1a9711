import type { RuleText } from '../../rule-schema.ts';
import { ofSomething } from '../comparison.ts';
import { and, everything, formatExpression, or, type Expression } from '../expression.ts';
import { Untranslatable, type Findings } from '../imported-rule.ts';
import { frameRule } from '../rule-frame.ts';
import { fieldNamed, sigmaFields, sigmaLogsources, type RuleMapping } from '../rule-mapping.ts';
import { parseAggregation } from './aggregation.ts';
import { searchExpression } from './search-fields.ts';
import { sigmaCondition } from './sigma-condition.ts';
import { sigmaFrame } from './sigma-frame.ts';
import type { SigmaRule } from './sigma-rule.ts';

/** The rule of a detection. Throws Untranslatable. */
export function translateSigma(rule: SigmaRule, mapping: RuleMapping, findings: Findings): RuleText {
  const { condition, timeframe } = rule.detection;
  const [aggregation, ...others] = condition.map((text) => text.split('|').slice(1).join('|').trim());
  const expression = detectionExpression(rule, mapping, findings);
  if ([aggregation, ...others].every((text) => text === '')) {
    if (timeframe !== undefined) findings.note('its timeframe belongs to no aggregation');
    return frameRule(sigmaFrame(rule), singleEvents(expression));
  }
  if (others.length > 0) throw new Untranslatable('it has several conditions, with an aggregation');
  if (timeframe === undefined) throw new Untranslatable('its aggregation has no timeframe');
  const { by, condition: measured } = parseAggregation(aggregation!, sigmaField(mapping));
  return frameRule(sigmaFrame(rule), counted(expression, by, timeframe, measured, findings));
}

/** The decision of a rule that fires at each event; its alert ends this long after the last one. */
function singleEvents(expression: Expression): Pick<RuleText, 'when' | 'window' | 'if'> & { when: string } {
  return { when: formatExpression(expression), window: '5m', if: 'count >= 1' };
}

/** The decision of a rule that counts. */
export function counted(
  expression: Expression,
  by: string[],
  timespan: string,
  condition: string,
  findings: Findings,
): Omit<RuleText, 'name'> {
  findings.noteKeys(by);
  return {
    when: formatExpression(expression),
    ...(by.length === 0 ? {} : { by }),
    window: sigmaTime(timespan),
    if: ofSomething(condition, findings),
  };
}

/** The events that a detection is about, with its log source and without its aggregation. */
export function detectionExpression(rule: SigmaRule, mapping: RuleMapping, findings: Findings): Expression {
  const { condition, timeframe: _, ...found } = rule.detection;
  const context = { field: sigmaField(mapping), findings };
  const searches = {
    names: Object.keys(found),
    expression: (name: string) => searchExpression(found[name], context),
  };
  const detected = or(condition.map((text) => sigmaCondition(text.split('|')[0]!, searches)));
  return and([logsourceExpression(rule.logsource, mapping, findings), detected]);
}

export function sigmaField({ fields }: RuleMapping): (name: string) => string {
  return (name) => fieldNamed(name, fields, sigmaFields);
}

/** A time of Sigma as one of a rule; months are left to the check of the rule. */
export function sigmaTime(text: string): string {
  const [, number, unit] = /^(\d+)\s*([smhdw])$/.exec(text.trim()) ?? [];
  if (number === undefined) throw new Untranslatable(`a window cannot be ${text}`);
  return unit === 'w' ? `${Number(number) * 7}d` : `${number}${unit}`;
}

function logsourceExpression(
  logsource: SigmaRule['logsource'],
  mapping: RuleMapping,
  findings: Findings,
): Expression {
  const keys = ['product', 'category', 'service'] as const;
  const found = [...mapping.logsources, ...sigmaLogsources].find((known) =>
    keys.every((key) => known[key] === undefined || known[key] === logsource[key]),
  );
  if (found !== undefined) return { type: 'filter', text: found.filter };
  const text = keys.filter((key) => logsource[key] !== undefined).map((key) => `${key} ${logsource[key]}`);
  if (text.length > 0)
    findings.differs(
      `events of every source are looked at, not only those of ${text.join(', ')}: map the log source`,
    );
  return everything;
}

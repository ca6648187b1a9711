import type { RuleText } from '../../rule-schema.ts';
import { comparisonText, numberText } from '../comparison.ts';
import { and, formatExpression, or, type Expression } from '../expression.ts';
import { Untranslatable, type Findings } from '../imported-rule.ts';
import { frameRule } from '../rule-frame.ts';
import type { RuleMapping } from '../rule-mapping.ts';
import type { Metric } from './logql.ts';
import { durationText, prometheusDurationMs } from './prometheus-duration.ts';
import { numberOf, quantityOf, type Quantity } from './quantity.ts';
import { readMetric } from './read-metric.ts';
import type { RulerRule } from './ruler-groups.ts';
import { rulerFrame } from './ruler-frame.ts';

/** One comparison: a quantity with a number, or with another time's. */
interface Comparison {
  quantity: Quantity;
  operator: string;
  value: number;
  of: 'previous' | 'yesterday' | null;
}

const dayMs = 86_400_000;
const flipped: Readonly<Record<string, string>> = {
  '>': '<',
  '>=': '<=',
  '<': '>',
  '<=': '>=',
  '==': '==',
  '!=': '!=',
};

/** The rule of an alerting rule in LogQL. Throws Untranslatable. */
export function translateRuler(rule: RulerRule, mapping: RuleMapping, findings: Findings): RuleText {
  const comparisons = conjuncts(readMetric(rule.expr, mapping, findings)).map((metric) =>
    comparisonOf(metric, findings),
  );
  const [{ quantity: first }] = comparisons as [Comparison];
  if (comparisons.some(({ quantity }) => quantity.by.join() !== first.by.join()))
    throw new Untranslatable('its parts are grouped by different labels');
  if (comparisons.some(({ quantity }) => quantity.windowMs !== first.windowMs))
    throw new Untranslatable('its parts look at different times');
  const base = baseOf(comparisons);
  const condition = comparisons.map((comparison) => conditionOf(comparison, base, findings)).join(' and ');
  findings.noteKeys(first.by);
  const forMs = prometheusDurationMs(rule.for ?? '0');
  if (!Number.isFinite(forMs)) throw new Untranslatable(`for: ${rule.for}`);
  if ((rule.keep_firing_for ?? '0s') !== '0s')
    findings.differs(
      `keep_firing_for ${rule.keep_firing_for} is left out: the alert ends with its condition`,
    );
  return frameRule(rulerFrame(rule, findings), {
    when: formatExpression(and(base)),
    ...(first.by.length === 0 ? {} : { by: first.by }),
    window: durationText(first.windowMs),
    if: condition,
    ...(forMs === 0 ? {} : { for: durationText(forMs) }),
  });
}

/** The parts that all have to hold. */
function conjuncts(metric: Metric): Metric[] {
  if (metric.type !== 'binary' || metric.operator !== 'and') return [metric];
  return [...conjuncts(metric.left), ...conjuncts(metric.right)];
}

function comparisonOf(metric: Metric, findings: Findings): Comparison {
  if (metric.type !== 'binary' || flipped[metric.operator] === undefined) {
    // Whatever it returns makes the alert fire.
    const quantity = quantityOf(ofAnyStream(metric), findings);
    if (
      quantity.isZeroIfNone ||
      (quantity.measure !== 'count' && quantity.measure !== 'rate' && quantity.measure !== 'absent')
    )
      throw new Untranslatable('its expression compares nothing');
    return {
      quantity: quantity.measure === 'rate' ? { ...quantity, measure: 'count' } : quantity,
      operator: '>=',
      value: 1,
      of: null,
    };
  }
  const { left, right, operator } = metric;
  const number = numberOf(right);
  if (number !== undefined) return withNumber(quantityOf(left, findings), operator, number);
  const leftNumber = numberOf(left);
  if (leftNumber !== undefined)
    return withNumber(quantityOf(right, findings), flipped[operator]!, leftNumber);
  return withOtherTime(quantityOf(left, findings), operator, quantityOf(right, findings));
}

/** `sum by (app) (count_over_time(…) > 0)` returns something where any stream has an event: just as the sum without the comparison does. */
function ofAnyStream(metric: Metric): Metric {
  if (metric.type !== 'aggregate' || metric.of.type !== 'binary') return metric;
  const { operator, left, right } = metric.of;
  const isAny =
    left.type === 'range' && left.grouping === null && /^(?:count_over_time|rate)$/.test(left.operation);
  return isAny && operator === '>' && numberOf(right) === 0
    ? { ...metric, operation: 'sum', of: left }
    : metric;
}

function withNumber(quantity: Quantity, operator: string, number: number): Comparison {
  if (!(quantity.factor > 0)) throw new Untranslatable('it multiplies by a number that is not positive');
  if (quantity.offsetMs !== 0) throw new Untranslatable('it looks at another time alone');
  return { quantity, operator, value: number / quantity.factor, of: null };
}

function withOtherTime(now: Quantity, operator: string, before: Quantity): Comparison {
  const key = (quantity: Quantity): string =>
    [quantity.measure, quantity.by, quantity.windowMs, ...quantity.clauses.map(formatExpression)].join('\n');
  if (
    now.offsetMs !== 0 ||
    before.offsetMs === 0 ||
    key(now) !== key(before) ||
    now.measure === 'ratio' ||
    now.isZeroIfNone ||
    before.isZeroIfNone
  )
    throw new Untranslatable('it compares two different measures');
  const of =
    before.offsetMs === now.windowMs ? 'previous' : before.offsetMs === dayMs ? 'yesterday' : undefined;
  if (of === undefined || now.measure.startsWith('p'))
    throw new Untranslatable(`it compares with ${durationText(before.offsetMs)} before`);
  return { quantity: now, operator, value: before.factor / now.factor, of };
}

/** What the rule's window holds: the whole of its ratios, or what all of its parts have in common, or all that any of them is about. */
function baseOf(comparisons: readonly Comparison[]): readonly Expression[] {
  const sets = comparisons.map(({ quantity }) => quantity.of ?? quantity.clauses);
  const common = sets.find((set) => sets.every((other) => isSubset(set, other)));
  if (common !== undefined) return common;
  if (comparisons.some(({ quantity }) => quantity.measure !== 'count' && quantity.measure !== 'rate'))
    throw new Untranslatable('its parts are about different events');
  return [or(sets.map((set) => and(set)))];
}

function conditionOf(comparison: Comparison, base: readonly Expression[], findings: Findings): string {
  const { quantity, operator, value } = comparison;
  const { measure, clauses, of: whole, isZeroIfNone } = quantity;
  if (isZeroIfNone && quantity.by.length > 0) throw new Untranslatable('vector(0) beside groups');
  if (measure === 'absent' || (isZeroIfNone && isNoneAtMost(comparison))) {
    if (quantity.by.length > 0 || !isSubset(clauses, base))
      throw new Untranslatable('something absent together with something else');
    if (measure === 'absent' && !holds(1, operator, value))
      throw new Untranslatable('absent_over_time is 1 or nothing');
    return 'absent';
  }
  if (whole !== null && !(isSubset(whole, base) && isSubset(base, whole)))
    throw new Untranslatable('a quotient together with something else');
  if (whole !== null && !isSubset(whole, clauses))
    throw new Untranslatable('a quotient of which one part does not contain the other');
  const rest = clauses.filter((clause) => !isSubset([clause], base));
  const text = comparedText(comparison, rest, findings);
  if (!text.includes('<')) return text;
  findings.differs('a comparison with < is judged once its key has been known for a whole window');
  // There, nothing is compared where nothing is.
  if (isZeroIfNone) return text;
  return `${text} and ${rest.length === 0 ? 'count' : `count(${formatExpression(and(rest))})`} >= 1`;
}

/** Whether it holds only while there is nothing. */
function isNoneAtMost({ quantity: { measure }, operator, value }: Comparison): boolean {
  if (measure !== 'count' && measure !== 'rate') return false;
  if (operator === '==' || operator === '<=') return value === 0;
  return operator === '<' && measure === 'count' && value > 0 && value <= 1;
}

function comparedText(
  { quantity, operator, value, of }: Comparison,
  rest: readonly Expression[],
  findings: Findings,
): string {
  const { measure, windowMs } = quantity;
  const part = formatExpression(and(rest));
  const compare = (measured: string, number: number, unit = ''): string =>
    comparisonText(measured, operator, `${numberText(number)}${unit}`);
  if (of !== null) {
    if (rest.length > 0) throw new Untranslatable('a part compared with another time');
    return compare(measure, value * 100, `% of ${of}`);
  }
  if (measure === 'ratio') {
    if (rest.length === 0) throw new Untranslatable('a quotient of the same events');
    return compare(`ratio(${part})`, value * 100, '%');
  }
  if (measure === 'count') return compare(rest.length === 0 ? 'count' : `count(${part})`, value);
  if (measure === 'rate')
    return rest.length === 0
      ? compare('rate', value, '/s')
      : compare(`count(${part})`, (value * windowMs) / 1000);
  if (rest.length > 0) throw new Untranslatable('the numbers of a part of its events');
  if (/^p\d/.test(measure))
    findings.differs('a percentile is the value at the nearest rank, not between two values');
  return compare(measure, value);
}

function holds(measured: number, operator: string, value: number): boolean {
  switch (operator) {
    case '>':
      return measured > value;
    case '>=':
      return measured >= value;
    case '<':
      return measured < value;
    case '<=':
      return measured <= value;
    default:
      return operator === '==' && measured === value;
  }
}

/** Whether each clause of the first is one of the second: then whatever passes the second passes the first. */
function isSubset(some: readonly Expression[], others: readonly Expression[]): boolean {
  const known = new Set(others.map(formatExpression));
  return some.every((clause) => clause.type === 'all' || known.has(formatExpression(clause)));
}

import type { Expression } from '../expression.ts';
import { Untranslatable, type Findings } from '../imported-rule.ts';
import type { Metric, RangeMetric } from './logql.ts';

/** Something that a comparison measures. */
export interface Quantity {
  /** A measure of conditions; `rate` per second. */
  measure:
    'count' | 'rate' | 'absent' | `${'sum' | 'avg' | 'min' | 'max' | `p${number}`}(${string})` | 'ratio';
  /** Which events; all hold. */
  clauses: readonly Expression[];
  /** Of a ratio: those that it is a part of. */
  of: readonly Expression[] | null;
  by: string[];
  windowMs: number;
  offsetMs: number;
  /** What it is multiplied by. */
  factor: number;
  /** Whether it is 0 where nothing is. */
  isZeroIfNone: boolean;
}

const ofNumbers: Readonly<Record<string, string>> = {
  sum_over_time: 'sum',
  avg_over_time: 'avg',
  min_over_time: 'min',
  max_over_time: 'max',
};

/** Which aggregation over streams is the same as counting all of them together. */
const together: Readonly<Record<string, string>> = {
  count_over_time: 'sum',
  rate: 'sum',
  sum_over_time: 'sum',
  min_over_time: 'min',
  max_over_time: 'max',
};

/** What one side of a comparison measures. Throws Untranslatable. */
export function quantityOf(metric: Metric, findings: Findings): Quantity {
  switch (metric.type) {
    case 'range':
      return rangeQuantity(metric, findings);
    case 'aggregate':
      return aggregateQuantity(metric);
    case 'binary':
      return binaryQuantity(metric, findings);
    default:
      throw new Untranslatable('it compares numbers alone');
  }
}

/** The value of an expression of numbers alone. */
export function numberOf(metric: Metric): number | undefined {
  if (metric.type === 'number') return metric.value;
  if (metric.type !== 'binary') return undefined;
  const left = numberOf(metric.left);
  const right = numberOf(metric.right);
  if (left === undefined || right === undefined) return undefined;
  const results: Readonly<Record<string, number>> = {
    '+': left + right,
    '-': left - right,
    '*': left * right,
    '/': left / right,
    '%': left % right,
    '^': left ** right,
  };
  return results[metric.operator];
}

function rangeQuantity(metric: RangeMetric, findings: Findings): Quantity {
  const { grouping } = metric;
  const isAbsent = metric.operation === 'absent_over_time';
  if (grouping?.isWithout === true) throw new Untranslatable('it groups by all labels without some of them');
  if (grouping === null && !isAbsent)
    findings.differs('each stream is counted by itself there, and all that match together here: add `by`');
  return baseQuantity(metric, grouping?.fields ?? []);
}

function aggregateQuantity(metric: Metric & { type: 'aggregate' }): Quantity {
  const { operation, grouping, of } = metric;
  if (grouping?.isWithout === true) throw new Untranslatable('it groups by all labels without some of them');
  const fields = grouping?.fields ?? [];
  if (of.type !== 'range' || of.grouping !== null || together[of.operation] !== operation) {
    const inner = of.type === 'range' ? `${of.operation}, stream by stream` : 'an expression';
    throw new Untranslatable(`${operation} of ${inner}`);
  }
  return baseQuantity(of, fields);
}

function baseQuantity(metric: RangeMetric, by: string[]): Quantity {
  const { operation, parameter, unwrap, clauses, rangeMs: windowMs, offsetMs } = metric;
  if (!Number.isFinite(windowMs) || !Number.isFinite(offsetMs))
    throw new Untranslatable('a time in its expression');
  const quantity = (measure: Quantity['measure']): Quantity => ({
    measure,
    clauses,
    of: null,
    by,
    windowMs,
    offsetMs,
    factor: 1,
    isZeroIfNone: false,
  });
  if (unwrap === null) {
    if (operation === 'count_over_time') return quantity('count');
    if (operation === 'rate') return quantity('rate');
    if (operation === 'absent_over_time') return quantity('absent');
    throw new Untranslatable(`${operation} in its expression`);
  }
  if (/[\s():"]/.test(unwrap)) throw new Untranslatable(`a condition cannot name the field ${unwrap}`);
  if (operation === 'quantile_over_time' && parameter !== null && parameter > 0 && parameter < 1) {
    const percent = Number((parameter * 100).toFixed(1));
    if (Math.abs(percent - parameter * 100) > 1e-9) throw new Untranslatable(`the quantile ${parameter}`);
    return quantity(`p${String(percent).replace('.', '_')}(${unwrap})` as Quantity['measure']);
  }
  const measure = ofNumbers[operation];
  if (measure === undefined) throw new Untranslatable(`${operation} of a label's numbers`);
  return quantity(`${measure}(${unwrap})` as Quantity['measure']);
}

function binaryQuantity(
  { operator, left, right }: Metric & { type: 'binary' },
  findings: Findings,
): Quantity {
  const scaled = (metric: Metric, factor: number): Quantity => {
    const quantity = quantityOf(metric, findings);
    return { ...quantity, factor: quantity.factor * factor };
  };
  const [leftNumber, rightNumber] = [numberOf(left), numberOf(right)];
  if (operator === '*' && rightNumber !== undefined) return scaled(left, rightNumber);
  if (operator === '*' && leftNumber !== undefined) return scaled(right, leftNumber);
  if (operator === '/' && rightNumber !== undefined) return scaled(left, 1 / rightNumber);
  if (operator === 'or' && right.type === 'vector' && right.value === 0)
    return { ...quantityOf(left, findings), isZeroIfNone: true };
  if (operator === '/') return ratioOf(quantityOf(left, findings), quantityOf(right, findings));
  throw new Untranslatable(`"${operator}" between two parts of its expression`);
}

function ratioOf(part: Quantity, whole: Quantity): Quantity {
  const isSame = (['measure', 'windowMs', 'offsetMs'] as const).every((key) => part[key] === whole[key]);
  const isOfEvents = part.measure === 'count' || part.measure === 'rate';
  if (!isSame || !isOfEvents || part.by.join() !== whole.by.join() || part.offsetMs !== 0 || part.of !== null)
    throw new Untranslatable('a quotient of two different measures');
  const factor = part.factor / whole.factor;
  return { ...part, measure: 'ratio', of: whole.clauses, factor, isZeroIfNone: part.isZeroIfNone };
}

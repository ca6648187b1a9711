import { Untranslatable, type Findings } from './imported-rule.ts';

/** A comparison of another system as one of a condition: `measure > 5`. */
export function comparisonText(measure: string, operator: string, number: string): string {
  switch (operator) {
    case '>':
    case '>=':
    case '<':
    case '<=':
      return `${measure} ${operator} ${number}`;
    case '=':
    case '==':
      return `${measure} >= ${number} and ${measure} <= ${number}`;
    default:
      throw new Untranslatable(`conditions have no ${operator}`);
  }
}

/** A number without an exponent. */
export function numberText(number: number): string {
  if (!Number.isFinite(number)) throw new Untranslatable('it compares with no number');
  return /e/.test(String(number)) ? number.toFixed(12).replace(/\.?0+$/, '') : String(number);
}

/**
 * The condition with what other systems take for granted: that there is something to compare. Here a comparison with `<` also holds for a
 * key that has become silent.
 */
export function ofSomething(condition: string, findings: Findings): string {
  if (!condition.includes('<')) return condition;
  findings.differs('a comparison with < is judged once its key has been known for a whole window');
  return /(?:^| )count >=? [1-9]/.test(condition) ? condition : `${condition} and count >= 1`;
}

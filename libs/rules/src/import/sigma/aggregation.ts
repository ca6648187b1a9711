import { comparisonText, numberText } from '../comparison.ts';
import { Untranslatable } from '../imported-rule.ts';

export interface Aggregation {
  by: string[];
  /** A condition over a window. */
  condition: string;
}

/** Reads what follows `|` in a condition of Sigma 1, such as `count(user) by host > 5`. */
export function parseAggregation(text: string, field: (name: string) => string): Aggregation {
  const [, measure, of = '', by = '', operator, number] =
    /^(count|min|max|avg|sum)\s*\(\s*([^)]*?)\s*\)\s*(?:by\s+(.+?))?\s*(<=|>=|==|<|>|=)\s*(-?\d+(?:\.\d+)?)$/i.exec(
      text.trim(),
    ) ?? [];
  if (measure === undefined) throw new Untranslatable(`the aggregation "${text.trim()}"`);
  return {
    by: by
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map(field),
    condition: comparisonText(
      measureText(measure.toLowerCase(), of === '' || of === '*' ? undefined : field(of)),
      operator!,
      numberText(Number(number)),
    ),
  };
}

/** A measure over a field; a count over a field is that of its values. */
export function measureText(measure: string, field: string | undefined): string {
  if (field === undefined) {
    if (measure === 'count') return 'count';
    throw new Untranslatable(`${measure} without a field`);
  }
  if (/[\s():"]/.test(field)) throw new Untranslatable(`a condition cannot name the field ${field}`);
  return `${measure === 'count' ? 'distinct' : measure}(${field})`;
}

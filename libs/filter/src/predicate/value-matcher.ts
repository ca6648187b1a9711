import type { AttributeMatch, Bound, StringMatch } from '../ast.ts';
import type { AttributeValue } from '../attribute-values.ts';
import { globMatcher } from '../glob.ts';
import { parseNumber } from '../numeric.ts';
import { compareCodePoints } from './code-points.ts';

/** Tests a keyword's value, which is there. */
export function stringMatcher(match: StringMatch): (value: string) => boolean {
  switch (match.type) {
    case 'exists':
      return () => true;
    case 'equals': {
      const { value: wanted } = match;
      return (value) => value === wanted;
    }
    case 'matches':
      return globMatcher(match.glob);
    case 'between':
      return between(match.min, match.max, compareCodePoints);
  }
}

/** Tests one value of an attribute. */
export function attributeMatcher(match: AttributeMatch): (value: AttributeValue) => boolean {
  switch (match.type) {
    case 'equals': {
      const { value: text } = match;
      const number = parseNumber(text);
      return (value) =>
        typeof value === 'number' && number !== undefined ? value === number : String(value) === text;
    }
    case 'within': {
      const test = between(match.min, match.max, (a: number, b: number) => a - b);
      return (value) => {
        const number = typeof value === 'string' ? parseNumber(value) : value;
        return typeof number === 'number' && test(number);
      };
    }
    default: {
      const test = stringMatcher(match);
      return (value) => test(String(value));
    }
  }
}

function between<T>(
  min: Bound<T> | undefined,
  max: Bound<T> | undefined,
  compare: (a: T, b: T) => number,
): (value: T) => boolean {
  return (value) => {
    if (min !== undefined) {
      const order = compare(value, min.value);
      if (order < 0 || (order === 0 && !min.inclusive)) return false;
    }
    if (max !== undefined) {
      const order = compare(value, max.value);
      if (order > 0 || (order === 0 && !max.inclusive)) return false;
    }
    return true;
  };
}

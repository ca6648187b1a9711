import type { AttributeMatch, Bound, Condition } from '../ast.ts';
import { maxAttributeDepth } from '../attribute-values.ts';
import { parseNumber } from '../numeric.ts';
import { containsText } from './contains-text.ts';
import { duckDbFunctions, type AttributeQuestion } from './function-names.ts';
import { sqlLiteral } from './literals.ts';
import { textCondition } from './text-condition.ts';

/** A number as parseNumber() reads it. */
export const decimal = sqlLiteral(String.raw`[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`);

/** Whether an attribute's values, in the column of JSON, match. NULL where there is none. */
export function attributeCondition(
  { path, match }: Extract<Condition, { type: 'attribute' }>,
  column: string,
): string {
  const question: AttributeQuestion = { path, match };
  const exact = `${duckDbFunctions.attribute}(${column}, ${sqlLiteral(JSON.stringify(question))})`;
  const usual =
    path.split('.').length > maxAttributeDepth
      ? 'FALSE'
      : usualCondition(column, sqlLiteral(jsonPointer(path)), match, exact);
  const condition = `CASE WHEN ${isUnusual(path, column)} THEN ${exact} ELSE TRY(${usual}) END`;
  const mayHave = mayHaveKey(path, column);
  return mayHave === 'TRUE' ? condition : `(${mayHave}) AND ${condition}`;
}

/**
 * SQL: whether JSON can have the path. It ends with the end of a key, which JSON without escapes contains literally: most rows need not be
 * parsed.
 */
export function mayHaveKey(path: string, column: string): string {
  const keyEnd = path.split('.').at(-1)!;
  if (JSON.stringify(keyEnd) !== `"${keyEnd}"`) return 'TRUE';
  return `${containsText(column, `${keyEnd}"`)} OR contains(${column}, '\\')`;
}

/** The JSON pointer of a path whose keys have no dots. */
export function jsonPointer(path: string): string {
  return path
    .split('.')
    .map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/**
 * SQL: whether DuckDB's functions might read the path otherwise than attributeValues(): what is no object, has arrays, escapes, or a key with
 * the dots of the path. It may say so of others, never the contrary; it is rare enough for the predicate's own code.
 */
export function isUnusual(path: string, column: string): string {
  const keys = path.split('.');
  const dotted = keys.slice(1).map((key, i) => containsText(column, `${keys[i]!}.${key}`));
  const array = `contains(${column}, '[') AND regexp_matches(${column}, ':\\s*\\[')`;
  return [`NOT starts_with(${column}, '{')`, `contains(${column}, '\\')`, array, ...dotted].join(' OR ');
}

/** The condition on JSON where the path has at most one value, and strings hold no escapes. */
function usualCondition(column: string, pointer: string, match: AttributeMatch, exact: string): string {
  const json = `CAST(json_extract(${column}, ${pointer}) AS VARCHAR)`;
  const text = `json_extract_string(${column}, ${pointer})`;
  const type = `json_type(${column}, ${pointer})`;
  switch (match.type) {
    case 'exists':
      return `${type} NOT IN ('OBJECT', 'ARRAY', 'NULL')`;
    case 'equals': {
      const { value } = match;
      const number = parseNumber(value);
      const quoted = `${json} = ${sqlLiteral(`"${value}"`)}`;
      if (value === 'true' || value === 'false')
        return `${json} IN (${sqlLiteral(`"${value}"`)}, ${sqlLiteral(value)})`;
      return number === undefined ? quoted : `(${quoted} OR TRY_CAST(${json} AS DOUBLE) = ${number}::DOUBLE)`;
    }
    case 'within':
      return `${numberBetween(`TRY_CAST(${text} AS DOUBLE)`, match)} AND regexp_full_match(${text}, ${decimal})`;
    default:
      // JavaScript writes numbers with a fraction or an exponent in its own way.
      return `CASE ${type} WHEN 'DOUBLE' THEN ${exact} WHEN 'OBJECT' THEN FALSE WHEN 'NULL' THEN FALSE
        ELSE ${textCondition(text, match)} END`;
  }
}

function numberBetween(number: string, { min, max }: { min?: Bound<number>; max?: Bound<number> }): string {
  const bounds = [`isfinite(${number})`];
  if (min) bounds.push(`${number} >${min.inclusive ? '=' : ''} ${min.value}::DOUBLE`);
  if (max) bounds.push(`${number} <${max.inclusive ? '=' : ''} ${max.value}::DOUBLE`);
  return bounds.join(' AND ');
}

import { attributeValues, maxAttributeDepth } from '../attribute-values.ts';
import { parseNumber } from '../numeric.ts';
import { decimal, isUnusual, jsonPointer, mayHaveKey } from './attribute-condition.ts';
import { duckDbFunctions } from './function-names.ts';
import { sqlLiteral } from './literals.ts';

/** The different values under a path, as texts. */
export function attributeTexts(attributes: string, path: string): string[] {
  return [...new Set((attributeValues(attributes).get(path) ?? []).map(String))];
}

/** The different numbers under a path: JSON numbers, and strings that write one, as filters compare them. */
export function attributeNumbers(attributes: string, path: string): number[] {
  const numbers = new Set<number>();
  for (const value of attributeValues(attributes).get(path) ?? []) {
    const number = typeof value === 'string' ? parseNumber(value) : value;
    // `+ 0` turns -0 into 0.
    if (typeof number === 'number' && Number.isFinite(number)) numbers.add(number + 0);
  }
  return [...numbers];
}

/** SQL: attributeTexts() of a column of JSON, as VARCHAR[]; NULL where it is empty. */
export function sqlAttributeTexts(path: string, column: string): string {
  const exact = `from_json(${duckDbFunctions.attributeTexts}(${column}, ${sqlLiteral(path)}), '["VARCHAR"]')`;
  const pointer = sqlLiteral(jsonPointer(path));
  const text = `json_extract_string(${column}, ${pointer})`;
  // JavaScript writes fractions, exponents, -0 and large numbers in its own way.
  return listOf(
    path,
    column,
    exact,
    `CASE json_type(${column}, ${pointer}) WHEN 'VARCHAR' THEN [${text}] WHEN 'BOOLEAN' THEN [${text}] WHEN 'DOUBLE' THEN ${exact}
      WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN ${exact} WHEN 'NULL' THEN NULL
      ELSE CASE WHEN length(${text}) < 16 AND ${text} <> '-0' THEN [${text}] ELSE ${exact} END END`,
  );
}

/** SQL: attributeNumbers() of a column of JSON, as DOUBLE[]; NULL where it is empty. */
export function sqlAttributeNumbers(path: string, column: string): string {
  const exact = `from_json(${duckDbFunctions.attributeNumbers}(${column}, ${sqlLiteral(path)}), '["DOUBLE"]')`;
  const pointer = sqlLiteral(jsonPointer(path));
  const text = `json_extract_string(${column}, ${pointer})`;
  const number = `TRY_CAST(${text} AS DOUBLE) + 0`;
  return listOf(
    path,
    column,
    exact,
    `CASE json_type(${column}, ${pointer}) WHEN 'BIGINT' THEN [${number}] WHEN 'UBIGINT' THEN [${number}]
      WHEN 'DOUBLE' THEN CASE WHEN isfinite(${number}) THEN [${number}] END WHEN 'ARRAY' THEN ${exact}
      WHEN 'VARCHAR' THEN CASE WHEN regexp_full_match(${text}, ${decimal}) AND isfinite(${number}) THEN [${number}] END END`,
  );
}

function listOf(path: string, column: string, exact: string, usual: string): string {
  const isTooDeep = path.split('.').length > maxAttributeDepth;
  return `CASE WHEN NOT (${mayHaveKey(path, column)}) THEN NULL
    WHEN ${isUnusual(path, column)} THEN ${exact} ELSE ${isTooDeep ? 'NULL' : `TRY(${usual})`} END`;
}

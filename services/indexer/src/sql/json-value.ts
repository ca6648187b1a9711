import {
  DuckDBTypeId,
  JsonDuckDBValueConverter,
  type DuckDBValueConverter,
  type Json,
} from '@duckdb/node-api';

const wholeNumbers: ReadonlySet<number> = new Set([
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
]);
const times: ReadonlySet<number> = new Set([
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
]);

/**
 * A value of DuckDB as JSON: whole numbers as numbers as far as doubles hold them, beyond that as texts; decimals as numbers; times as RFC
 * 3339.
 */
export const jsonValue: DuckDBValueConverter<Json> = (value, type, converter) => {
  if (value === null) return null;
  if (wholeNumbers.has(type.typeId)) {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (type.typeId === DuckDBTypeId.DECIMAL) return Number(String(value));
  if (times.has(type.typeId)) return String(value).replace(/^(\d{4}-\d\d-\d\d) (.*)$/, '$1T$2Z');
  return JsonDuckDBValueConverter(value, type, converter);
};

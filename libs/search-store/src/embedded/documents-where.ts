import {
  duckDbBool,
  sqlLiteral,
  sqlMicros,
  textCondition,
  type Condition,
  type Filter,
} from '@logloom/filter';
import { levels } from '@logloom/schemas';
import {
  fieldsOfDocuments,
  labelOf,
  notANumber,
  unsupported,
  unsupportedWords,
  type AttributeMatch,
  type StringMatch,
} from '../document-fields.ts';
import type { TimeRange } from '../search-store.ts';

/**
 * A filter of correlation documents, and a range of `firstAt`, as a condition on the columns of documents, for DuckDB; document-fields.ts
 * describes each field. NULL counts as false. Throws SearchStoreError `bad-filter`.
 */
export function documentsWhere(filter: Filter | undefined, range: TimeRange): string {
  const parts = [`(${duckDbBool(filter?.ast ?? { type: 'all' }, compileCondition)})`];
  if (range.fromMicros !== undefined) parts.push(`first_at >= ${sqlMicros(range.fromMicros)}`);
  if (range.toMicros !== undefined) parts.push(`first_at < ${sqlMicros(range.toMicros)}`);
  return parts.join(' AND ');
}

function compileCondition(condition: Condition): string {
  switch (condition.type) {
    case 'level':
      return `level_mask & ${condition.levels.reduce((mask, level) => mask | (1 << levels.indexOf(level)), 0)} <> 0`;
    case 'keyword':
      return compileField(condition.field, condition.match);
    case 'attribute':
      return compileField(condition.path, condition.match);
    case 'number': {
      const isTime = condition.field === 'timestamp';
      const column = isTime ? 'first_at' : fieldsOfDocuments.numbers[condition.field];
      if (column === undefined) throw unsupported(condition.field);
      const value = (number: number): string => (isTime ? sqlMicros(number) : `${number}::DOUBLE`);
      const bounds: string[] = [];
      if (condition.min !== undefined) bounds.push(`${column} >= ${value(condition.min)}`);
      if (condition.max !== undefined) bounds.push(`${column} <= ${value(condition.max)}`);
      return bounds.join(' AND ') || 'TRUE';
    }
    case 'words':
      throw unsupportedWords(condition.words);
  }
}

function compileField(field: string, match: StringMatch | AttributeMatch): string {
  const { texts, lists, numbers } = fieldsOfDocuments;
  const text = texts[field];
  if (text !== undefined) return textCondition(text, asText(match));
  const list = lists[field];
  if (list !== undefined) return listCondition(list, asText(match));
  const number = numbers[field];
  if (number !== undefined) return numberCondition(field, number, match);
  const label = labelOf(field);
  if (label === undefined) throw unsupported(field);
  const pointer = `/${label.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return textCondition(`json_extract_string(labels, ${sqlLiteral(pointer)})`, asText(match));
}

/** Texts in a JSON array; the search for the text spares most rows the reading of the array. */
function listCondition(column: string, match: StringMatch): string {
  const values = `from_json(${column}, '["VARCHAR"]')`;
  if (match.type !== 'equals')
    return `len(list_filter(${values}, lambda value: ${textCondition('value', match)})) > 0`;
  const quoted = sqlLiteral(JSON.stringify(match.value));
  return `contains(${column}, ${quoted}) AND list_contains(${values}, ${sqlLiteral(match.value)})`;
}

/** Texts are compared as texts with numbers too. */
function asText(match: StringMatch | AttributeMatch): StringMatch {
  if (match.type !== 'within') return match;
  const { min, max } = match;
  return {
    type: 'between',
    ...(min && { min: { ...min, value: String(min.value) } }),
    ...(max && { max: { ...max, value: String(max.value) } }),
  };
}

function numberCondition(field: string, column: string, match: StringMatch | AttributeMatch): string {
  if (match.type === 'exists') return 'TRUE';
  if (match.type === 'equals' && match.value.trim() !== '' && Number.isFinite(Number(match.value)))
    return `${column} = ${Number(match.value)}::DOUBLE`;
  if (match.type !== 'within') throw notANumber(field);
  const bounds: string[] = [];
  if (match.min) bounds.push(`${column} >${match.min.inclusive ? '=' : ''} ${match.min.value}::DOUBLE`);
  if (match.max) bounds.push(`${column} <${match.max.inclusive ? '=' : ''} ${match.max.value}::DOUBLE`);
  return bounds.join(' AND ') || 'TRUE';
}

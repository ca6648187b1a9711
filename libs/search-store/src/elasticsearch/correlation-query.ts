import { elasticsearchBool, type Condition, type Filter } from '@logloom/filter';
import {
  fieldsOfDocuments,
  labelOf,
  notANumber,
  unsupported,
  unsupportedWords,
  type AttributeMatch,
  type StringMatch,
} from '../document-fields.ts';
import type { Query } from './search.ts';

/**
 * A filter of correlation documents as a query on the index of documents; document-fields.ts describes each field. The fields have the
 * names of the embedded store's columns. Throws SearchStoreError `bad-filter`.
 */
export function compileCorrelationQuery(filter: Filter): Query {
  return elasticsearchBool(filter.ast, compileCondition);
}

function compileCondition(condition: Condition): Query {
  switch (condition.type) {
    case 'level':
      return { terms: { levels: condition.levels } };
    case 'keyword':
      return compileField(condition.field, condition.match);
    case 'attribute':
      return compileField(condition.path, condition.match);
    case 'number': {
      const { field, min, max } = condition;
      const column = field === 'timestamp' ? 'first_at' : fieldsOfDocuments.numbers[field];
      if (column === undefined) throw unsupported(field);
      return compileRange(column, inclusive(min), inclusive(max));
    }
    case 'words':
      throw unsupportedWords(condition.words);
  }
}

function compileField(field: string, match: StringMatch | AttributeMatch): Query {
  const { texts, lists, numbers } = fieldsOfDocuments;
  const text = texts[field] ?? lists[field];
  if (text !== undefined) return compileText(text, match);
  const number = numbers[field];
  if (number !== undefined) return compileNumber(field, number, match);
  const label = labelOf(field);
  if (label === undefined) throw unsupported(field);
  return compileLabel(label, match);
}

/** Labels are kept as `name=value`; all values of a name lie between `name=` and `name>`, which follows it. */
function compileLabel(name: string, match: StringMatch | AttributeMatch): Query {
  const label = (value: string | number): string => `${name}=${value}`;
  switch (match.type) {
    case 'exists':
      return { range: { labels: { gte: label(''), lt: `${name}>` } } };
    case 'equals':
      return { term: { labels: label(match.value) } };
    case 'matches':
      return { wildcard: { labels: { value: `${name.replaceAll(/[\\*?]/g, '\\$&')}=${match.glob}` } } };
    case 'between':
    case 'within': {
      const min = match.min ?? { value: '', inclusive: true };
      const upper =
        match.max === undefined
          ? { lt: `${name}>` }
          : match.max.inclusive
            ? { lte: label(match.max.value) }
            : { lt: label(match.max.value) };
      return {
        range: {
          labels: { ...(min.inclusive ? { gte: label(min.value) } : { gt: label(min.value) }), ...upper },
        },
      };
    }
  }
}

function compileText(field: string, match: StringMatch | AttributeMatch): Query {
  switch (match.type) {
    case 'exists':
      return { exists: { field } };
    case 'equals':
      return { term: { [field]: match.value } };
    case 'matches':
      return { wildcard: { [field]: { value: match.glob } } };
    case 'between':
    case 'within':
      return compileRange(field, textBound(match.min), textBound(match.max));
  }
}

function compileNumber(field: string, column: string, match: StringMatch | AttributeMatch): Query {
  if (match.type === 'exists') return { match_all: {} };
  if (match.type === 'equals' && match.value.trim() !== '' && Number.isFinite(Number(match.value)))
    return { term: { [column]: Number(match.value) } };
  if (match.type !== 'within') throw notANumber(field);
  return compileRange(column, match.min, match.max);
}

interface AnyBound {
  value: string | number;
  inclusive: boolean;
}

function compileRange(field: string, min: AnyBound | undefined, max: AnyBound | undefined): Query {
  if (min === undefined && max === undefined) return { exists: { field } };
  const lower = min === undefined ? {} : min.inclusive ? { gte: min.value } : { gt: min.value };
  const upper = max === undefined ? {} : max.inclusive ? { lte: max.value } : { lt: max.value };
  return { range: { [field]: { ...lower, ...upper } } };
}

function inclusive(value: number | undefined): AnyBound | undefined {
  return value === undefined ? undefined : { value, inclusive: true };
}

function textBound(bound: AnyBound | undefined): AnyBound | undefined {
  return bound && { ...bound, value: String(bound.value) };
}

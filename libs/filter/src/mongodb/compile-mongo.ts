import { levels } from '@logloom/schemas';
import type {
  AttributeMatch,
  Bound,
  Condition,
  Filter,
  FilterNode,
  KeywordField,
  NumberField,
  StringMatch,
} from '../ast.ts';
import { parseNumber } from '../numeric.ts';
import { textPattern, wordsPattern } from './patterns.ts';

export type MongoFilter = Record<string, unknown>;

const fields: Record<KeywordField | NumberField, string> = {
  id: '_id',
  service: 'service',
  host: 'host',
  correlationId: 'correlationId',
  correlationKind: 'correlationKind',
  traceId: 'traceId',
  spanId: 'spanId',
  timestamp: 'timestamp',
  partition: 'partition',
  offset: 'offset',
};

const nothing: MongoFilter = { _id: { $in: [] } };

/**
 * The filter for documents that hold an event's fields by their names (the id as `_id`, the level as its rank, absent what is null) and
 * what mongoFields() returns. It uses only operators that every server can evaluate on the document alone: no $where, $expr or $text.
 */
export function compileMongo(filter: Filter): MongoFilter {
  return compile(filter.ast);
}

function compile(node: FilterNode): MongoFilter {
  switch (node.type) {
    case 'all':
      return {};
    case 'none':
      return nothing;
    case 'not':
      return { $nor: [compile(node.child)] };
    case 'and':
      return { $and: node.children.map(compile) };
    case 'or':
      return { $or: node.children.map(compile) };
    default:
      return compileCondition(node);
  }
}

function compileCondition(condition: Condition): MongoFilter {
  switch (condition.type) {
    case 'level':
      return { level: { $in: condition.levels.map((level) => levels.indexOf(level)) } };
    case 'keyword':
      return { [fields[condition.field]]: compileString(condition.match) };
    case 'number': {
      const { field, min, max } = condition;
      return {
        [fields[field]]: { ...(min !== undefined && { $gte: min }), ...(max !== undefined && { $lte: max }) },
      };
    }
    case 'words':
      return { words: { $regex: wordsPattern(condition.words) } };
    case 'attribute':
      return { values: { $elemMatch: { k: condition.path, ...compileValue(condition.match) } } };
  }
}

function compileString(match: StringMatch): unknown {
  switch (match.type) {
    case 'exists':
      return { $exists: true };
    case 'equals':
      return match.value;
    case 'matches':
      return { $regex: textPattern(match.glob), $options: 's' };
    case 'between':
      // Without a collation strings compare by bytes of UTF-8, which is by code points.
      return { $type: 'string', ...bounds(match.min, match.max) };
  }
}

function compileValue(match: AttributeMatch): MongoFilter {
  switch (match.type) {
    case 'exists':
      return {};
    case 'equals': {
      const number = parseNumber(match.value);
      if (number === undefined) return { s: match.value };
      return { $or: [{ s: match.value }, { n: number, t: 1 }] };
    }
    case 'within':
      return { n: { $type: 'number', ...bounds(match.min, match.max) } };
    default:
      return { s: compileString(match) };
  }
}

function bounds<T>(min: Bound<T> | undefined, max: Bound<T> | undefined): MongoFilter {
  return {
    ...(min !== undefined && { [min.inclusive ? '$gte' : '$gt']: min.value }),
    ...(max !== undefined && { [max.inclusive ? '$lte' : '$lt']: max.value }),
  };
}

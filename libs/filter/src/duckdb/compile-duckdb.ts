import type { Condition, Filter, FilterNode, KeywordField, NumberField, StringMatch } from '../ast.ts';
import { attributeCondition } from './attribute-condition.ts';
import { sqlLiteral } from './literals.ts';
import { textCondition } from './text-condition.ts';
import { wordsCondition } from './words-condition.ts';

const columns: Record<Exclude<KeywordField, 'id'> | NumberField, string> = {
  timestamp: 'timestamp',
  service: 'service',
  host: 'host',
  correlationId: 'correlation_id',
  correlationKind: 'correlation_kind',
  traceId: 'trace_id',
  spanId: 'span_id',
  partition: 'partition',
  offset: '"offset"',
};
const nullable: ReadonlySet<string> = new Set([
  'host',
  'correlationId',
  'correlationKind',
  'traceId',
  'spanId',
  'id',
]);

/**
 * The filter as a condition on the embedded store's columns (README.md has them), for DuckDB. Its values are literals, because DuckDB uses
 * only constants to skip row groups and to compile a pattern once. NULL counts as false. The connection needs registerDuckDbFunctions.
 */
export function compileDuckDb(filter: Filter): string {
  return duckDbBool(filter.ast, compileCondition, isNullable);
}

/**
 * The filter's and, or and not as a condition in SQL, around what `compileCondition` makes of its conditions. `isNullable`: which of those
 * can be NULL, which counts as false; default: all.
 */
export function duckDbBool(
  node: FilterNode,
  compileCondition: (condition: Condition) => string,
  isNullable: (condition: Condition) => boolean = () => true,
): string {
  const isNull = (child: FilterNode): boolean => {
    switch (child.type) {
      case 'all':
      case 'none':
      case 'not':
        return false;
      case 'and':
      case 'or':
        return child.children.some(isNull);
      default:
        return isNullable(child);
    }
  };
  const compile = (child: FilterNode): string => {
    switch (child.type) {
      case 'all':
        return 'TRUE';
      case 'none':
        return 'FALSE';
      case 'not':
        // AND and OR treat NULL as false where the whole is not negated; NOT has to see false.
        return isNull(child.child)
          ? `NOT coalesce(${compile(child.child)}, FALSE)`
          : `NOT (${compile(child.child)})`;
      case 'and':
      case 'or':
        return child.children
          .map((each) => `(${compile(each)})`)
          .join(child.type === 'and' ? ' AND ' : ' OR ');
      default:
        return compileCondition(child);
    }
  };
  return compile(node);
}

function isNullable(condition: Condition): boolean {
  return condition.type === 'keyword' ? nullable.has(condition.field) : condition.type === 'attribute';
}

function compileCondition(condition: Condition): string {
  switch (condition.type) {
    case 'level':
      return `level IN (${condition.levels.map(sqlLiteral).join(', ')})`;
    case 'keyword':
      return condition.field === 'id'
        ? idCondition(condition.match)
        : textCondition(columns[condition.field], condition.match);
    case 'number':
      return numberCondition(condition.field, condition);
    case 'words':
      return wordsCondition(condition.words, 'words');
    case 'attribute':
      return attributeCondition(condition, 'attributes');
  }
}

/** An id is a place in the log, and is stored as that. */
function idCondition(match: StringMatch): string {
  if (match.type === 'exists') return 'TRUE';
  if (match.type !== 'equals')
    return textCondition(`coalesce(other_id, epoch || '-' || partition || '-' || "offset")`, match);
  const isOther = `other_id = ${sqlLiteral(match.value)}`;
  const place = placeOf(match.value);
  if (place === undefined) return isOther;
  return `(${isOther} OR epoch = ${sqlLiteral(place.epoch)} AND partition = ${place.partition}
    AND "offset" = ${place.offset} AND other_id IS NULL)`;
}

/** The place that an id names, if it names one. */
export function placeOf(id: string): { epoch: string; partition: number; offset: number } | undefined {
  const place = /^(.*)-(0|[1-9]\d{0,8})-(0|[1-9]\d{0,14})$/su.exec(id);
  return place === null
    ? undefined
    : { epoch: place[1]!, partition: Number(place[2]), offset: Number(place[3]) };
}

function numberCondition(field: NumberField, { min, max }: { min?: number; max?: number }): string {
  const isTime = field === 'timestamp';
  const name = columns[field];
  const value = (number: number): string => (isTime ? sqlMicros(number) : numberLiteral(number));
  const bounds: string[] = [];
  if (min !== undefined) bounds.push(`${name} >= ${value(min)}`);
  if (max !== undefined) bounds.push(`${name} <= ${value(max)}`);
  return bounds.join(' AND ') || 'TRUE';
}

/** DuckDB's timestamps reach further than any number that a filter can hold exactly. */
export function sqlMicros(micros: number): string {
  const most = Number.MAX_SAFE_INTEGER;
  return `make_timestamp(${Math.max(-most, Math.min(most, micros))})`;
}

function numberLiteral(number: number): string {
  return Number.isSafeInteger(number) ? String(number) : `${number}::DOUBLE`;
}

import type { Condition, Filter, FilterNode, KeywordField, NumberField, StringMatch } from '../ast.ts';
import { attributeCondition } from './attribute-condition.ts';
import { sqlLiteral } from './literals.ts';
import { textCondition } from './text-condition.ts';
import { wordsCondition } from './words-condition.ts';

export interface DuckDbSchema {
  /** Put before each column's name, e.g. `e.` for a table with an alias. */
  columnPrefix: string;
  /** Replaces the condition for words, e.g. by one that uses an index of the words. */
  words?: ((globs: readonly string[], column: (name: string) => string) => string) | undefined;
}

const columns: Record<Exclude<KeywordField, 'id'> | Exclude<NumberField, 'timestamp'>, string> = {
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
export function compileDuckDb(filter: Filter, schema: Partial<DuckDbSchema> = {}): string {
  const { columnPrefix = '', words } = schema;
  const column = (name: string): string => columnPrefix + name;
  const compile = (node: FilterNode): string => {
    switch (node.type) {
      case 'all':
        return 'TRUE';
      case 'none':
        return 'FALSE';
      case 'not':
        // AND and OR treat NULL as false where the whole is not negated; NOT has to see false.
        return isNullable(node.child)
          ? `NOT coalesce(${compile(node.child)}, FALSE)`
          : `NOT (${compile(node.child)})`;
      case 'and':
      case 'or':
        return node.children
          .map((child) => `(${compile(child)})`)
          .join(node.type === 'and' ? ' AND ' : ' OR ');
      case 'words':
        return words?.(node.words, column) ?? wordsCondition(node.words, column('words'));
      default:
        return compileCondition(node, column);
    }
  };
  return compile(filter.ast);
}

function isNullable(node: FilterNode): boolean {
  switch (node.type) {
    case 'and':
    case 'or':
      return node.children.some(isNullable);
    case 'not':
      return false;
    case 'keyword':
      return nullable.has(node.field);
    default:
      return node.type === 'attribute';
  }
}

function compileCondition(
  condition: Exclude<Condition, { type: 'words' }>,
  column: (name: string) => string,
): string {
  switch (condition.type) {
    case 'level':
      return `${column('level')} IN (${condition.levels.map(sqlLiteral).join(', ')})`;
    case 'keyword':
      return condition.field === 'id'
        ? idCondition(condition.match, column)
        : textCondition(column(columns[condition.field]), condition.match);
    case 'number':
      return numberCondition(condition.field, condition, column);
    case 'attribute':
      return attributeCondition(condition, column('attributes'));
  }
}

/** An id is a place in the log, and is stored as that. */
function idCondition(match: StringMatch, column: (name: string) => string): string {
  const [partition, offset] = [column('partition'), column('"offset"')];
  const other = column('other_id');
  if (match.type === 'exists') return 'TRUE';
  if (match.type !== 'equals')
    return textCondition(
      `coalesce(${other}, ${column('epoch')} || '-' || ${partition} || '-' || ${offset})`,
      match,
    );
  const isOther = `${other} = ${sqlLiteral(match.value)}`;
  const place = placeOf(match.value);
  if (place === undefined) return isOther;
  return `(${isOther} OR ${column('epoch')} = ${sqlLiteral(place.epoch)} AND ${partition} = ${place.partition}
    AND ${offset} = ${place.offset} AND ${other} IS NULL)`;
}

/** The place that an id names, if it names one. */
export function placeOf(id: string): { epoch: string; partition: number; offset: number } | undefined {
  const place = /^(.*)-(0|[1-9]\d{0,8})-(0|[1-9]\d{0,14})$/su.exec(id);
  return place === null
    ? undefined
    : { epoch: place[1]!, partition: Number(place[2]), offset: Number(place[3]) };
}

function numberCondition(
  field: NumberField,
  { min, max }: { min?: number; max?: number },
  column: (name: string) => string,
): string {
  const isTime = field === 'timestamp';
  const name = column(isTime ? 'timestamp' : columns[field]);
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

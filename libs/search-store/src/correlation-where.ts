import type { Filter } from '@logloom/filter';
import { levels } from '@logloom/schemas';
import { SearchStoreError } from './search-store.ts';

export type FilterNode = Filter['ast'];
export type Condition = Exclude<FilterNode, { type: 'all' | 'none' | 'not' | 'and' | 'or' }>;
export type AttributeMatch = Extract<Condition, { type: 'attribute' }>['match'];
export type StringMatch = Extract<Condition, { type: 'keyword' }>['match'];
type SqlValue = string | number;

export interface CorrelationWhere {
  where: string;
  params: SqlValue[];
}

/** Without a prototype: a filter may name a field `constructor`. */
function columns(named: Record<string, string>): Readonly<Record<string, string>> {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, string>, named));
}

const textColumns = columns({
  id: 'id',
  correlationId: 'correlation_id',
  correlationKind: 'kind',
  kind: 'kind',
  closeReason: 'close_reason',
  severity: 'severity',
  shape: 'shape',
});
const nullableColumns: ReadonlySet<string> = new Set(['severity', 'shape']);
const numberColumns = columns({
  eventCount: 'event_count',
  errorCount: 'error_count',
  durationMs: 'duration_ms',
  revision: 'revision',
  partition: 'partition',
});
const listColumns = columns({
  service: 'services',
  services: 'services',
  rules: 'rules',
  ids: 'ids',
  traceId: 'ids',
  requestId: 'ids',
  sessionId: 'ids',
});
const labelPrefix = 'labels.';
/** Every field that a filter of documents may use, with its name in the store. */
export const fieldsOfDocuments = { texts: textColumns, numbers: numberColumns, lists: listColumns };

/**
 * A filter of correlation documents as a condition on the table of documents:
 * - `id`, `correlationId`, `kind` (or `correlationKind`), `closeReason`, `severity`: the document's own text;
 * - `eventCount`, `errorCount`, `durationMs`, `revision`, `partition`: its numbers;
 * - `timestamp`: its `firstAt`;
 * - `ids`: its correlation id and every other id of its members; `traceId`, `requestId` and `sessionId` are the same;
 * - `shape`: its own text; `labels.<name>`: the label's value;
 * - `level`, `service`, `rules`: true when any member, or any rule, has the value. So `level:error AND service:pay` means an error in any
 *   service and a member of `pay`, not one event that is both; and `NOT level:error` means no error at all.
 *
 * Throws SearchStoreError `bad-filter` for words and for every other field: a document does not hold its members' texts.
 */
export function compileCorrelationWhere(filter: Filter): CorrelationWhere {
  const params: SqlValue[] = [];
  return { where: compile(filter.ast, params), params };
}

function compile(node: FilterNode, params: SqlValue[]): string {
  switch (node.type) {
    case 'all':
      return 'TRUE';
    case 'none':
      return 'FALSE';
    case 'not':
      return `NOT ${compile(node.child, params)}`;
    case 'and':
    case 'or':
      return `(${node.children.map((child) => compile(child, params)).join(node.type === 'and' ? ' AND ' : ' OR ')})`;
    default:
      return `(${compileCondition(node, params)})`;
  }
}

function compileCondition(condition: Condition, params: SqlValue[]): string {
  switch (condition.type) {
    case 'level':
      params.push(condition.levels.reduce((mask, level) => mask | (1 << levels.indexOf(level)), 0));
      return 'level_mask & ?';
    case 'keyword':
      return compileField(condition.field, condition.match, params);
    case 'attribute':
      return compileField(condition.path, condition.match, params);
    case 'number': {
      const column = condition.field === 'timestamp' ? 'first_at' : numberColumns[condition.field];
      if (column === undefined) throw unsupported(condition.field);
      const bounds: string[] = [];
      bound(bounds, params, `${column} >= ?`, condition.min);
      bound(bounds, params, `${column} <= ?`, condition.max);
      return bounds.join(' AND ') || 'TRUE';
    }
    case 'words':
      throw unsupportedWords(condition.words);
  }
}

function compileField(field: string, match: StringMatch | AttributeMatch, params: SqlValue[]): string {
  const text = textColumns[field];
  if (text !== undefined) {
    const condition = compileText(text, match, params);
    // For a missing value NOT has to see false, not NULL. Elsewhere `IS TRUE` would hide the column from SQLite's choice of an index.
    return nullableColumns.has(text) ? `(${condition}) IS TRUE` : condition;
  }
  const list = listColumns[field];
  if (list === 'ids' && match.type === 'equals') {
    params.push(match.value);
    return 'correlations.rowid IN (SELECT document FROM correlation_ids WHERE value = ?)';
  }
  if (list !== undefined) {
    return `EXISTS (SELECT 1 FROM json_each(correlations.${list}) WHERE ${compileText('value', match, params)})`;
  }
  const number = numberColumns[field];
  if (number !== undefined) return compileNumber(field, number, match, params);
  const label = labelOf(field);
  if (label === undefined) throw unsupported(field);
  params.push(label);
  return `EXISTS (SELECT 1 FROM json_each(correlations.labels) WHERE key = ? AND ${compileText('value', match, params)})`;
}

function compileText(column: string, match: StringMatch | AttributeMatch, params: SqlValue[]): string {
  switch (match.type) {
    case 'exists':
      return `${column} IS NOT NULL`;
    case 'equals':
      params.push(match.value);
      return `${column} = ?`;
    case 'matches':
      params.push(sqlGlob(match.glob));
      return `${column} GLOB ?`;
    case 'between':
    case 'within': {
      const bounds: string[] = [];
      if (match.min !== undefined)
        bound(bounds, params, `${column} ${match.min.inclusive ? '>=' : '>'} ?`, String(match.min.value));
      if (match.max !== undefined)
        bound(bounds, params, `${column} ${match.max.inclusive ? '<=' : '<'} ?`, String(match.max.value));
      return bounds.join(' AND ') || `${column} IS NOT NULL`;
    }
  }
}

function compileNumber(
  field: string,
  column: string,
  match: StringMatch | AttributeMatch,
  params: SqlValue[],
): string {
  if (match.type === 'exists') return 'TRUE';
  if (match.type === 'equals' && match.value.trim() !== '' && Number.isFinite(Number(match.value))) {
    params.push(Number(match.value));
    return `${column} = ?`;
  }
  if (match.type !== 'within') throw notANumber(field);
  const bounds: string[] = [];
  if (match.min !== undefined)
    bound(bounds, params, `${column} ${match.min.inclusive ? '>=' : '>'} ?`, match.min.value);
  if (match.max !== undefined)
    bound(bounds, params, `${column} ${match.max.inclusive ? '<=' : '<'} ?`, match.max.value);
  return bounds.join(' AND ') || 'TRUE';
}

function bound(bounds: string[], params: SqlValue[], sql: string, value: SqlValue | undefined): void {
  if (value === undefined) return;
  bounds.push(sql);
  params.push(value);
}

/** SQLite's GLOB has `*` and `?` too, but escapes them by brackets, not by a backslash. */
function sqlGlob(glob: string): string {
  return glob.replaceAll(/\\(.)|\[/gsu, (whole, escaped: string | undefined) => {
    const character = escaped ?? whole;
    return /[*?[]/.test(character) ? `[${character}]` : character;
  });
}

/** The label that a field names. */
export function labelOf(field: string): string | undefined {
  return field.startsWith(labelPrefix) ? field.slice(labelPrefix.length) : undefined;
}

export function unsupported(field: string): SearchStoreError {
  return new SearchStoreError('bad-filter', `correlation documents have no field '${field}'`, {
    subject: field,
  });
}

export function unsupportedWords(words: readonly string[]): SearchStoreError {
  return new SearchStoreError(
    'bad-filter',
    `'${words.join(' ')}': correlation documents have no words; search the events for them`,
    { subject: words[0]! },
  );
}

export function notANumber(field: string): SearchStoreError {
  return new SearchStoreError('bad-filter', `${field} is a number: use a number, or a range of numbers`, {
    subject: field,
  });
}

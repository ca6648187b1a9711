import { attributeValues } from '@logloom/filter';
import { levels } from '@logloom/schemas';
import type { DatabaseSync } from 'node:sqlite';
import { SearchStoreError, type TopValues } from '../search-store.ts';
import type { QueryDeadline } from './query-deadline.ts';
import type { Where } from './where.ts';

const columns: Readonly<Record<string, string>> = {
  level: 'level',
  service: 'service',
  host: 'host',
  correlationId: 'correlation_id',
  correlationKind: 'correlation_kind',
  traceId: 'trace_id',
  spanId: 'span_id',
};
/** How many of the newest events are searched for attribute paths, and how many paths are returned at most. */
const sampledEvents = 5000;
const maxPaths = 500;

/** The fields that have top values. */
export function fieldNames(db: DatabaseSync): string[] {
  const paths = new Set<string>();
  const newest = db.prepare(
    `SELECT DISTINCT attributes FROM (SELECT attributes FROM events ORDER BY rowid DESC LIMIT ${sampledEvents})`,
  );
  for (const { attributes } of newest.iterate()) {
    for (const path of attributeValues(String(attributes)).keys()) paths.add(`attributes.${path}`);
    if (paths.size >= maxPaths) break;
  }
  return [...Object.keys(columns), ...[...paths].sort().slice(0, maxPaths)];
}

/** The top values of a column. Throws SearchStoreError `unknown-field`. */
export function topColumnValues(db: DatabaseSync, field: string, where: Where, limit: number): TopValues {
  const column = columns[field];
  if (column === undefined || !Object.hasOwn(columns, field)) {
    const known = Object.keys(columns).join(', ');
    throw new SearchStoreError(
      'unknown-field',
      `no values are counted for '${field}'; use ${known} or attributes.<path>`,
    );
  }
  const rows = db
    .prepare(`SELECT ${column} AS value, COUNT(*) AS count FROM events WHERE ${where.sql} GROUP BY ${column}`)
    .all(...where.params) as { value: string | number | null; count: number }[];
  const counts = new Map<string, number>();
  let missing = 0;
  for (const { value, count } of rows) {
    if (value === null) missing = count;
    else counts.set(field === 'level' ? levels[Number(value)]! : String(value), count);
  }
  return { ...topOf(counts, limit), missing };
}

/** The top values under an attribute's path; a list counts once for each of its distinct values. */
export function topAttributeValues(
  db: DatabaseSync,
  path: string,
  where: Where,
  limit: number,
  deadline: QueryDeadline,
): TopValues {
  const counts = new Map<string | number | boolean, number>();
  let missing = 0;
  // Many events share one text of attributes.
  const rows = db.prepare(
    `SELECT attributes, COUNT(*) AS count FROM events WHERE ${where.sql} GROUP BY attributes`,
  );
  for (const row of rows.iterate(...where.params)) {
    deadline.check();
    const { attributes, count } = row as { attributes: string; count: number };
    const values = attributeValues(attributes).get(path);
    if (values === undefined) missing += count;
    else for (const value of new Set(values)) counts.set(value, (counts.get(value) ?? 0) + count);
  }
  return { ...topOf(counts, limit), missing };
}

function topOf<Value extends string | number | boolean>(
  counts: ReadonlyMap<Value, number>,
  limit: number,
): Omit<TopValues, 'missing'> {
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (String(a) < String(b) ? -1 : 1));
  const values = sorted.slice(0, limit).map(([value, count]) => ({ value, count }));
  return { values, other: sorted.slice(limit).reduce((sum, [, count]) => sum + count, 0) };
}

import { compileSql, type Filter } from '@logloom/filter';
import { compileCorrelationWhere } from '../correlation-where.ts';
import type { TimeRange } from '../search-store.ts';
import { deadlineCondition } from './query-deadline.ts';

export type SqlValue = string | number;

/** A condition with the values of its `?`. */
export interface Where {
  sql: string;
  params: SqlValue[];
}

/** The events of a filter and a range. The condition ends the query at its deadline (query-deadline.ts). */
export function eventsWhere(filter: Filter, range: TimeRange): Where {
  const { where, params } = compileSql(filter);
  return withRange('ts', range, { sql: `${deadlineCondition()} AND (${where})`, params });
}

/** The documents of a filter and a range of `firstAt`, likewise. Throws SearchStoreError `bad-filter`. */
export function documentsWhere(filter: Filter | undefined, range: TimeRange): Where {
  const { where, params } =
    filter === undefined ? { where: 'TRUE', params: [] } : compileCorrelationWhere(filter);
  return withRange('first_at', range, { sql: `${deadlineCondition()} AND (${where})`, params });
}

/** `where`, and the column `time` in the range. */
export function withRange(time: string, { fromMicros, toMicros }: TimeRange, where: Where): Where {
  const parts: string[] = [];
  const params: SqlValue[] = [];
  if (fromMicros !== undefined) {
    parts.push(`${time} >= ?`);
    params.push(fromMicros);
  }
  if (toMicros !== undefined) {
    parts.push(`${time} < ?`);
    params.push(toMicros);
  }
  return { sql: [...parts, where.sql].join(' AND '), params: [...params, ...where.params] };
}

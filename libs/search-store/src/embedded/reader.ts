import { registerSqlFunctions, type Filter } from '@logloom/filter';
import { levels, type Correlation } from '@logloom/schemas';
import type { DatabaseSync } from 'node:sqlite';
import type { Aggregate, AggregateQuery } from '../aggregate/aggregate-query.ts';
import { chooseBuckets } from '../histogram-interval.ts';
import { bytesOf, defaultPageBytes } from '../page-bytes.ts';
import { packCursor, unpackCursor } from '../packed-cursor.ts';
import type { RequestGroupsResult } from '../request-groups.ts';
import { beforeAll, type ScanPage, type ScanQuery } from '../scan.ts';
import {
  maxTotal,
  type CorrelationsPage,
  type CorrelationsQuery,
  type FoundEvent,
  type GroupRequestsQuery,
  type Histogram,
  type HistogramQuery,
  type SearchPage,
  type SearchQuery,
  type ShapeDuration,
  type ShapeDurationsQuery,
  type TimeRange,
  type TopValues,
  type TopValuesQuery,
  type Total,
} from '../search-store.ts';
import { eventColumns, eventOfRow, type EventRow } from './event-row.ts';
import { aggregateRows } from './aggregate-rows.ts';
import { fieldNames, topAttributeValues, topColumnValues } from './field-values.ts';
import { groupRows } from './group-rows.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';
import { QueryDeadline } from './query-deadline.ts';
import { documentsWhere, eventsWhere, withRange, type SqlValue, type Where } from './where.ts';

export interface SqliteReaderOptions {
  queryLimitMs: number;
  countLimitMs: number;
  pageBytes?: number | undefined;
}

/** The reading half of the embedded search store. */
export class SqliteReader {
  readonly #db: DatabaseSync;
  readonly #deadline: QueryDeadline;
  readonly #countLimitMs: number;
  readonly #pageBytes: number;

  constructor(
    db: DatabaseSync,
    { queryLimitMs, countLimitMs, pageBytes = defaultPageBytes }: SqliteReaderOptions,
  ) {
    this.#db = db;
    this.#countLimitMs = countLimitMs;
    this.#pageBytes = pageBytes;
    registerSqlFunctions(db);
    this.#deadline = new QueryDeadline(db, queryLimitMs);
  }

  search({ filter, limit, order, cursor, ...range }: SearchQuery): SearchPage {
    return this.#deadline.run(() => {
      const where = eventsWhere(filter, range);
      const page = this.#page('events', 'ts', eventColumns, where, order, limit, cursor);
      const events = (page.rows as EventRow[]).map(eventOfRow);
      return { total: page.total, events, ...(page.next === undefined ? {} : { next: page.next }) };
    });
  }

  histogram({ filter, scope, intervalMs, ...range }: HistogramQuery): Histogram {
    return this.#deadline.run(() => {
      const known = this.#knownRange(range, scope);
      if (known === undefined)
        return { intervalMs: intervalMs ?? 1000, fromMicros: 0, toMicros: 0, buckets: [] };
      const { fromMicros, toMicros } = known;
      const buckets = chooseBuckets(fromMicros, toMicros, intervalMs);
      const width = buckets.intervalMs * 1000;
      const where = eventsWhere(filter, { fromMicros, toMicros });
      // SQLite's division truncates toward zero, and times before 1970 are negative.
      const rows = this.#rows<[bucket: number, level: number, count: number]>(
        `SELECT ts / ${width} - (ts < 0 AND ts % ${width} <> 0) AS bucket, level, COUNT(*) FROM events
         WHERE ${where.sql} GROUP BY bucket, level`,
        where.params,
      );
      const result: Histogram = { intervalMs: buckets.intervalMs, fromMicros, toMicros, buckets: [] };
      for (let i = buckets.first; i <= buckets.last; i++)
        result.buckets.push({ startMicros: i * width, count: 0, levels: {} });
      for (const [index, level, count] of rows) {
        const bucket = result.buckets[index - buckets.first]!;
        bucket.count += count;
        bucket.levels[levels[level]!] = count;
      }
      return result;
    });
  }

  topValues({ filter, field, limit, ...range }: TopValuesQuery): TopValues {
    return this.#deadline.run(() => {
      const where = eventsWhere(filter, range);
      return field.startsWith('attributes.')
        ? topAttributeValues(this.#db, field.slice('attributes.'.length), where, limit, this.#deadline)
        : topColumnValues(this.#db, field, where, limit);
    });
  }

  aggregate(query: AggregateQuery): Aggregate {
    return this.#deadline.run(() => {
      const range = query.interval === undefined ? undefined : this.#knownRange(query, query.scope);
      return aggregateRows(this.#db, query, range, this.#deadline);
    });
  }

  scan({ filter, limit, snapshot, after = beforeAll, ...range }: ScanQuery): ScanPage<FoundEvent> {
    return this.#deadline.run(() => {
      const where = eventsWhere(filter, range);
      // Rows are only added at the end.
      const [last] = this.#rows<[number | null]>('SELECT MAX(rowid) FROM events', []);
      const lastRow = snapshot === undefined ? (last?.[0] ?? 0) : unpackCursor(snapshot)[0];
      const { timestamp, partition, offset } = after;
      const rowids = this.#rows<[number]>(
        `SELECT rowid FROM events WHERE ts >= ? AND (ts, partition, "offset") > (?, ?, ?) AND rowid <= ? AND ${where.sql}
         ORDER BY ts, partition, "offset" LIMIT ?`,
        [timestamp, timestamp, partition, offset, lastRow, ...where.params, limit + 1],
      ).map(([rowid]) => rowid);
      const { rows, taken } = this.#rowsAt(
        `SELECT ${eventColumns} FROM events WHERE rowid = ?`,
        rowids.slice(0, limit),
      );
      return {
        events: (rows as EventRow[]).map(eventOfRow),
        snapshot: packCursor([lastRow, 0, 0, 0]),
        isLast: taken === rowids.length,
      };
    });
  }

  fields(): string[] {
    return fieldNames(this.#db);
  }

  event(id: string): FoundEvent | undefined {
    const [row] = this.#rows<EventRow>(`SELECT ${eventColumns} FROM events WHERE id = ?`, [id]);
    return row === undefined ? undefined : eventOfRow(row);
  }

  correlations({ filter, limit, cursor, ...range }: CorrelationsQuery): CorrelationsPage {
    return this.#deadline.run(() => {
      const bounded = documentsWhere(filter, range);
      const page = this.#page('correlations', 'first_at', 'document', bounded, 'desc', limit, cursor);
      const correlations = (page.rows as [string][]).map(([document]) => JSON.parse(document) as Correlation);
      return { total: page.total, correlations, ...(page.next === undefined ? {} : { next: page.next }) };
    });
  }

  correlation(id: string): Correlation | undefined {
    const [row] = this.#rows<[string]>('SELECT document FROM correlations WHERE id = ?', [id]);
    return row === undefined ? undefined : (JSON.parse(row[0]) as Correlation);
  }

  correlationsByIds(ids: readonly string[], limit: number): Correlation[] {
    return this.#documents(
      `SELECT rowid FROM correlations WHERE rowid IN
         (SELECT document FROM correlation_ids WHERE value IN (SELECT value FROM json_each(?)))
       ORDER BY first_at DESC, rowid DESC LIMIT ?`,
      [JSON.stringify(ids), limit],
    );
  }

  correlationsById(correlationId: string): Correlation[] {
    return this.#documents(
      'SELECT rowid FROM correlations WHERE correlation_id = ? ORDER BY first_at DESC, rowid DESC',
      [correlationId],
    );
  }

  shapeDurations({ shape, limit, ...range }: ShapeDurationsQuery): ShapeDuration[] {
    return this.#deadline.run(() => {
      const where = withRange('first_at', range, { sql: 'shape = ?', params: [shape] });
      return this.#rows<[number, number]>(
        `SELECT first_at, duration_ms FROM correlations WHERE ${where.sql} ORDER BY first_at DESC, rowid DESC LIMIT ?`,
        [...where.params, limit],
      ).map(([firstAt, durationMs]) => ({ firstAt, durationMs }));
    });
  }

  groupRequests({ filter, by, limit, ...range }: GroupRequestsQuery): RequestGroupsResult<Correlation> {
    return this.#deadline.run(() => {
      const { groups, ...result } = groupRows(this.#db, by, documentsWhere(filter, range)).result(limit);
      const { rows } = this.#rowsAt(
        'SELECT rowid, document FROM correlations WHERE rowid = ?',
        groups.map(({ latest }) => latest),
      );
      const documents = new Map(rows as [number, string][]);
      return {
        ...result,
        groups: groups.flatMap(({ latest, ...group }) => {
          const document = documents.get(latest);
          return document === undefined ? [] : [{ ...group, latest: JSON.parse(document) as Correlation }];
        }),
      };
    });
  }

  counts(): { events: number; correlations: number } {
    const rows = new Map(this.#rows<[string, number]>('SELECT name, value FROM counts', []));
    return { events: rows.get('events') ?? 0, correlations: rows.get('correlations') ?? 0 };
  }

  /** One page by (time, rowid). */
  #page(
    table: string,
    time: string,
    columns: string,
    where: Where,
    order: 'asc' | 'desc',
    limit: number,
    cursor: string | undefined,
  ): { rows: unknown[]; total: Total; next?: string } {
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const [comparison, direction] = order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC'];
    const keyset = after === undefined ? '' : `(${time}, rowid) ${comparison} (?, ?) AND `;
    if (limit === 0) return { rows: [], total: after?.total ?? this.#total(table, where) };
    // Sorted without the large columns: SQLite would hold whole rows. One more row shows whether there is a next page.
    const places = this.#rows<[rowid: number, micros: number]>(
      `SELECT rowid, ${time} FROM ${table} WHERE ${keyset}${where.sql} ORDER BY ${time} ${direction}, rowid ${direction} LIMIT ?`,
      [...(after === undefined ? [] : [after.micros, after.rowid]), ...where.params, limit + 1],
    );
    const total = after?.total ?? this.#total(table, where);
    const { rows, taken } = this.#rowsAt(
      `SELECT ${columns} FROM ${table} WHERE rowid = ?`,
      places.slice(0, limit).map(([rowid]) => rowid),
    );
    if (taken === places.length) return { rows, total };
    const [rowid, micros] = places[taken - 1]!;
    return { rows, total, next: encodeCursor({ micros, rowid, total }) };
  }

  /**
   * Reads the rows one by one until they fill a page; also returns how many positions that took. Rows that were deleted meanwhile are left
   * out.
   */
  #rowsAt(sql: string, rowids: readonly number[]): { rows: unknown[]; taken: number } {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    const rows: unknown[] = [];
    let taken = 0;
    for (let bytes = 0; taken < rowids.length && bytes < this.#pageBytes; taken++) {
      this.#deadline.check();
      const row = statement.get(rowids[taken]!) as unknown as unknown[] | undefined;
      if (row === undefined) continue;
      rows.push(row);
      bytes += bytesOf(row);
    }
    return { rows, taken };
  }

  #documents(sql: string, params: readonly SqlValue[]): Correlation[] {
    return this.#deadline.run(() => {
      const rowids = this.#rows<[number]>(sql, params).map(([rowid]) => rowid);
      const { rows } = this.#rowsAt('SELECT document FROM correlations WHERE rowid = ?', rowids);
      return (rows as [string][]).map(([document]) => JSON.parse(document) as Correlation);
    });
  }

  /** Counts for a while, then returns what it has: a page that was found is not withheld because counting takes long. */
  #total(table: string, where: Where): Total {
    const statement = this.#db.prepare(`SELECT 1 FROM ${table} WHERE ${where.sql} LIMIT ${maxTotal + 1}`);
    statement.setReturnArrays(true);
    let count = 0;
    const isComplete = this.#deadline.within(this.#countLimitMs, () => {
      const rows = statement.iterate(...where.params);
      while (rows.next().done !== true) count++;
    });
    return { value: Math.min(count, maxTotal), exact: isComplete && count <= maxTotal };
  }

  /** The range with its missing ends filled in from the events of `scope`. Undefined if both are missing and there are no events. */
  #knownRange(
    { fromMicros, toMicros }: TimeRange,
    scope: Filter | undefined,
  ): { fromMicros: number; toMicros: number } | undefined {
    if (fromMicros !== undefined && toMicros !== undefined)
      return { fromMicros: Math.min(fromMicros, toMicros), toMicros };
    const { sql, params } = scope === undefined ? { sql: 'TRUE', params: [] } : eventsWhere(scope, {});
    const end = (direction: string): string =>
      `(SELECT ts FROM events WHERE ${sql} ORDER BY ts ${direction} LIMIT 1)`;
    const [row] = this.#rows<[number | null, number | null]>(`SELECT ${end('ASC')}, ${end('DESC')}`, [
      ...params,
      ...params,
    ]);
    const from = fromMicros ?? row?.[0] ?? toMicros;
    if (from === undefined) return undefined;
    const to = toMicros ?? Math.max(from, row?.[1] ?? from) + 1;
    return { fromMicros: Math.min(from, to), toMicros: to };
  }

  #rows<Row>(sql: string, params: readonly SqlValue[]): Row[] {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all(...params) as unknown as Row[];
  }
}

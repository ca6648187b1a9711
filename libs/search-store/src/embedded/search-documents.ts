import type { ReadView, RelationOptions, Slice } from '@logloom/column-store';
import { sqlLiteral, sqlMicros } from '@logloom/filter';
import type { Correlation } from '@logloom/schemas';
import { bytesOf } from '../page-bytes.ts';
import { RequestGroups, type RequestGroupsResult } from '../request-groups.ts';
import {
  maxTotal,
  type CorrelationsPage,
  type CorrelationsQuery,
  type GroupRequestsQuery,
  type ShapeDuration,
  type ShapeDurationsQuery,
  type TimeRange,
  type Total,
} from '../search-store.ts';
import { isTimeout } from './count-events.ts';
import { documentsWhere } from './documents-where.ts';
import { decodeCursor, encodeCursor, placeOfRow, type EventPlace } from './event-place.ts';
import { totalOfPage } from './search-events.ts';

/** A document's place: the time and place of its first event; its id stands for the epoch. */
const placeColumns = 'epoch_us(first_at), partition, first_offset, id';
const newestFirst = 'ORDER BY first_at DESC, partition DESC, first_offset DESC, id DESC';
/** Documents are read in steps: a page ends early where they are large. */
const readStep = 256;

/** As SearchStore.correlations(). */
export async function searchDocuments(
  view: ReadView,
  { filter, limit, cursor, ...range }: CorrelationsQuery,
  { pageBytes, countLimitMs }: { pageBytes: number; countLimitMs: number },
): Promise<CorrelationsPage> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const where = documentsWhere(filter, range);
  if (limit === 0)
    return { total: after?.total ?? (await count(view, where, range, countLimitMs)), correlations: [] };
  const keyset =
    after === undefined
      ? ''
      : ` AND (first_at, partition, first_offset, id) < (${sqlMicros(after.micros)}, ${after.partition}, ${after.offset}, ${sqlLiteral(after.epoch)})`;
  const bounds =
    after === undefined
      ? range
      : { ...range, toMicros: Math.min(range.toMicros ?? Infinity, after.micros + 1) };
  const places = await placesOf(view, bounds, `${where}${keyset}`, limit + 1);
  const total =
    after?.total ?? totalOfPage(places.length, limit) ?? (await count(view, where, range, countLimitMs));
  const correlations = await readDocuments(view, places.slice(0, limit), pageBytes);
  if (correlations.length === places.length) return { total, correlations };
  return { total, correlations, next: encodeCursor({ ...places[correlations.length - 1]!, total }) };
}

/** The documents of a condition, the latest first, as many as a page holds. */
export async function documentsOf(
  view: ReadView,
  where: string,
  { limit, pageBytes, only }: { limit?: number; pageBytes: number; only?: (slice: Slice) => boolean },
): Promise<Correlation[]> {
  return readDocuments(view, await placesOf(view, { only }, where, limit), pageBytes);
}

/** As SearchStore.shapeDurations(). */
export async function shapeDurationsOf(
  view: ReadView,
  { shape, limit, ...range }: ShapeDurationsQuery,
): Promise<ShapeDuration[]> {
  const rows = await view.rows(
    `SELECT epoch_us(first_at), duration_ms FROM ${view.requests(range)}
     WHERE ${documentsWhere(undefined, range)} AND shape = ${sqlLiteral(shape)} ${newestFirst} LIMIT ${limit}`,
  );
  return rows.map(([firstAt, durationMs]) => ({ firstAt: Number(firstAt), durationMs: Number(durationMs) }));
}

/** As SearchStore.groupRequests(). */
export async function groupDocuments(
  view: ReadView,
  { filter, by, limit, ...range }: GroupRequestsQuery,
  pageBytes: number,
): Promise<RequestGroupsResult<Correlation>> {
  const found = new RequestGroups<EventPlace>();
  // Many documents have the same text of services.
  const lists = new Map<string, string[]>();
  const keysOf = (text: string | null): string[] => {
    if (text === null) return [];
    let keys = lists.get(text);
    if (keys === undefined)
      lists.set(text, (keys = by === 'shape' ? [text] : (JSON.parse(text) as string[])));
    return keys;
  };
  const column = by === 'shape' ? 'shape' : 'services';
  const rows = view.stream(
    `SELECT ${placeColumns}, duration_ms, error_count, ${column} FROM ${view.requests(range)} WHERE ${documentsWhere(filter, range)}`,
  );
  for await (const chunk of rows) {
    for (const row of chunk) {
      const place = placeOfRow(row);
      const [durationMs, errors, text] = row.slice(4);
      const keys = keysOf(text as string | null);
      found.add({
        keys,
        firstAt: place.micros,
        durationMs: Number(durationMs),
        hasErrors: Number(errors) > 0,
        place,
      });
    }
  }
  const { groups, ...result } = found.result(limit);
  const latest = groups.map((group) => group.latest);
  const documents = new Map((await readDocuments(view, latest, pageBytes)).map((each) => [each.id, each]));
  return {
    ...result,
    groups: groups.flatMap((group) => {
      const document = documents.get(group.latest.epoch);
      return document === undefined ? [] : [{ ...group, latest: document }];
    }),
  };
}

async function placesOf(
  view: ReadView,
  range: RelationOptions,
  where: string,
  limit?: number,
): Promise<EventPlace[]> {
  const rows = await view.rows(
    `SELECT ${placeColumns} FROM ${view.requests(range)} WHERE ${where} ${newestFirst} ${limit === undefined ? '' : `LIMIT ${limit}`}`,
  );
  return rows.map(placeOfRow);
}

/** Reads the documents at these places until they fill a page. */
async function readDocuments(
  view: ReadView,
  places: readonly EventPlace[],
  pageBytes: number,
): Promise<Correlation[]> {
  const documents: Correlation[] = [];
  let bytes = 0;
  for (let at = 0; at < places.length && bytes < pageBytes; at += readStep) {
    const wanted = places.slice(at, at + readStep);
    const times = wanted.map(({ micros }) => micros);
    const range = { fromMicros: Math.min(...times), toMicros: Math.max(...times) + 1 };
    const rows = await view.rows(
      `SELECT id, document FROM ${view.requests(range)} WHERE ${documentsWhere(undefined, range)}
       AND first_at IN (${[...new Set(times)].map(sqlMicros).join(', ')})
       AND id IN (${wanted.map(({ epoch }) => sqlLiteral(epoch)).join(', ')})`,
    );
    const texts = new Map(rows as [string, string][]);
    for (const { epoch: id } of wanted) {
      const text = texts.get(id);
      if (text === undefined) throw new Error('a document is gone from the files of one reading');
      documents.push(JSON.parse(text) as Correlation);
      bytes += bytesOf([text]);
      if (bytes >= pageBytes) return documents;
    }
  }
  return documents;
}

async function count(view: ReadView, where: string, range: TimeRange, limitMs: number): Promise<Total> {
  if (limitMs <= 0) return { value: 0, exact: false };
  try {
    const sql = `SELECT count(*) FROM ${view.requests(range)} WHERE ${where}`;
    const [row] = await view.rows(sql, { limitMs });
    const value = Number(row![0]);
    return { value: Math.min(value, maxTotal), exact: value <= maxTotal };
  } catch (error) {
    if (isTimeout(error)) return { value: 0, exact: false };
    throw error;
  }
}

/** Whether one of a document's ids, which are in a JSON array, is among these. */
export function idsCondition(ids: readonly string[]): string {
  const wanted = ids.map(sqlLiteral);
  const anyText = ids.map((id) => `contains(ids, ${sqlLiteral(JSON.stringify(id))})`);
  return `(${anyText.join(' OR ')}) AND list_has_any(from_json(ids, '["VARCHAR"]'), [${wanted.join(', ')}])`;
}

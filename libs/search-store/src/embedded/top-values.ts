import type { ReadView } from '@logloom/column-store';
import { attributeValues } from '@logloom/filter';
import { SearchStoreError, type TopValues, type TopValuesQuery } from '../search-store.ts';
import { matchingEvents } from './filtered-events.ts';

const columns: ReadonlyMap<string, string> = new Map([
  ['level', 'level'],
  ['service', 'service'],
  ['host', 'host'],
  ['correlationId', 'correlation_id'],
  ['correlationKind', 'correlation_kind'],
  ['traceId', 'trace_id'],
  ['spanId', 'span_id'],
]);
const attributePrefix = 'attributes.';
/** How many of the newest events are searched for attribute paths, and how many paths are returned at most. */
const sampledEvents = 5000;
const maxPaths = 500;

/** The fields that have top values. */
export async function fieldNames(view: ReadView): Promise<string[]> {
  const paths = new Set<string>();
  // The newest slices that hold enough, however many small ones there are.
  let rows = 0;
  const newest = new Set(
    view.slices.filter((slice) => {
      const isWanted = rows < sampledEvents;
      rows += slice.rows;
      return isWanted;
    }),
  );
  const found = await view.rows(
    `SELECT DISTINCT attributes FROM (SELECT attributes FROM ${view.events({ only: (slice) => newest.has(slice) })}
     ORDER BY timestamp DESC LIMIT ${sampledEvents})`,
  );
  for (const [attributes] of found) {
    for (const path of attributeValues(attributes as string).keys()) paths.add(`${attributePrefix}${path}`);
    if (paths.size >= maxPaths) break;
  }
  return [...columns.keys(), ...[...paths].sort().slice(0, maxPaths)];
}

/** As SearchStore.topValues(). */
export async function topValuesOf(
  view: ReadView,
  { filter, field, limit, ...range }: TopValuesQuery,
): Promise<TopValues> {
  const from = await matchingEvents(view, filter, range);
  return field.startsWith(attributePrefix)
    ? topAttributeValues(view, field.slice(attributePrefix.length), from, limit)
    : topColumnValues(view, field, from, limit);
}

async function topColumnValues(
  view: ReadView,
  field: string,
  from: string,
  limit: number,
): Promise<TopValues> {
  const column = columns.get(field);
  if (column === undefined) {
    const known = [...columns.keys()].join(', ');
    throw new SearchStoreError(
      'unknown-field',
      `no values are counted for '${field}'; use ${known} or attributes.<path>`,
    );
  }
  const rows = await view.rows(
    `WITH counted AS (SELECT ${column} AS value, count(*) AS count FROM ${from} GROUP BY ${column})
     (SELECT value, count, sum(count) OVER () FROM counted WHERE value IS NOT NULL ORDER BY count DESC, value LIMIT ${Math.max(limit, 1)})
     UNION ALL SELECT NULL, count, NULL FROM counted WHERE value IS NULL`,
  );
  let missing = 0;
  let all = 0;
  const values: TopValues['values'] = [];
  for (const [value, count, sum] of rows) {
    if (value === null) missing = Number(count);
    else {
      values.push({ value: value as string, count: Number(count) });
      all = Number(sum);
    }
  }
  const top = values.slice(0, limit);
  return { values: top, other: top.reduce((rest, { count }) => rest - count, all), missing };
}

/** A list counts once for each of its distinct values. */
async function topAttributeValues(
  view: ReadView,
  path: string,
  from: string,
  limit: number,
): Promise<TopValues> {
  const counts = new Map<string | number | boolean, number>();
  let missing = 0;
  // Many events share one text of attributes.
  const texts = view.stream(`SELECT attributes, count(*) FROM ${from} GROUP BY attributes`);
  for await (const rows of texts) {
    for (const [attributes, count] of rows) {
      const values = attributeValues(attributes as string).get(path);
      if (values === undefined) missing += Number(count);
      else for (const value of new Set(values)) counts.set(value, (counts.get(value) ?? 0) + Number(count));
    }
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (String(a) < String(b) ? -1 : 1));
  return {
    values: sorted.slice(0, limit).map(([value, count]) => ({ value, count })),
    other: sorted.slice(limit).reduce((sum, [, count]) => sum + count, 0),
    missing,
  };
}

import type { ReadView } from '@logloom/column-store';
import { sqlAttributeNumbers, sqlAttributeTexts, sqlLiteral } from '@logloom/filter';
import {
  percentileParts,
  type Aggregate,
  type AggregateGroup,
  type AggregateQuery,
  type GroupKey,
  type Metric,
} from '../aggregate/aggregate-query.ts';
import { BucketGrid, type KnownRange } from '../aggregate/bucket-grid.ts';
import { fieldPlace, numberPath, type FieldPlace, type GroupField } from '../aggregate/group-fields.ts';

const columns: Record<GroupField, string> = {
  level: 'level',
  service: 'service',
  host: 'host',
  correlationId: 'correlation_id',
  correlationKind: 'correlation_kind',
  traceId: 'trace_id',
  spanId: 'span_id',
};

/** Groups the events of `from`, exactly; for buckets it reads them twice. `range` is known if buckets are wanted and there are events. */
export async function aggregateEvents(
  view: ReadView,
  from: string,
  query: AggregateQuery,
  range: KnownRange | undefined,
): Promise<Aggregate> {
  const places = query.by.map(fieldPlace);
  const keys = places.map((_, i) => `k${i}`);
  const grid = query.interval === undefined || range === undefined ? undefined : new BucketGrid(query, range);
  const limit = grid?.limit ?? query.limit;
  // The window counts also what the limit leaves out.
  const rows = await view.rows(
    `SELECT ${[...keys, 'value', 'count', 'missing'].join(', ')}, count(*) OVER () AS groups, sum(count) OVER () AS events
     FROM (${groupsOf(from, query, places, [])})
     ORDER BY value DESC NULLS LAST, count DESC${keys.map((key) => `, ${key} NULLS LAST`).join('')} LIMIT ${Math.max(1, limit)}`,
  );
  const groups = rows.slice(0, limit).map((row) => groupOf(row, keys.length));
  const [all, events] = (rows[0]?.slice(keys.length + 3) ?? [0, 0]).map(Number) as [number, number];
  const other = {
    groups: all - groups.length,
    events: groups.reduce((left, { count }) => left - count, events),
  };
  const result = { groups, other, exact: true };
  if (grid === undefined) return result;
  const width = grid.widthMicros;
  // The division of whole numbers truncates toward zero, and times before 1970 are negative.
  const at = `epoch_us(timestamp) // ${width} - (epoch_us(timestamp) % ${width} < 0)::INTEGER`;
  const cells = await view.rows(
    `SELECT ${[...keys, 'value', 'count', 'missing', 'bucket'].join(', ')} FROM (${groupsOf(from, query, places, [`${at} AS bucket`])})
     ${other.groups === 0 ? '' : `WHERE ${isOneOf(keys, groups)}`}`,
  );
  for (const row of cells) {
    const { key, ...figure } = groupOf(row, keys.length);
    grid.set(key, Number(row.at(-1)), figure);
  }
  return grid.fill(result);
}

/** SQL: the groups by the places (`k0`, …) and the other named columns, each with `value`, `count` and `missing`. */
function groupsOf(
  from: string,
  { metric, of }: AggregateQuery,
  places: readonly FieldPlace[],
  others: readonly string[],
): string {
  const otherNames = others.map((other) => other.split(' AS ').at(-1)!);
  const names = [...places.map((_, i) => `k${i}`), ...otherNames];
  const values = metric === 'count' || of === undefined ? undefined : valuesOf(metric, of);
  const kept = values === undefined ? [] : ['v'];
  const selected = [
    ...places.map((place, i) => `${textsOf(place)} AS k${i}`),
    ...others,
    ...(values === undefined ? [] : [`${values} AS v`]),
  ];
  let sql = `SELECT ${selected.length === 0 ? '1 AS one' : selected.join(', ')} FROM ${from}`;
  // One after the other: lists that are unnested together are not combined.
  for (const [i, place] of places.entries()) {
    if ('field' in place) continue;
    const key = `k${i}`;
    const rest = [...names, ...kept].map((name) =>
      name === key
        ? `unnest(CASE WHEN len(${key}) > 0 THEN ${key} ELSE [NULL::VARCHAR] END) AS ${key}`
        : name,
    );
    sql = `SELECT ${rest.join(', ')} FROM (${sql})`;
  }
  const by = names.length === 0 ? 'HAVING count(*) > 0' : `GROUP BY ${names.join(', ')}`;
  const listed = names.map((name) => `${name}, `).join('');
  if (values === undefined)
    return `SELECT ${listed}count(*) AS value, count(*) AS count, 0 AS missing FROM (${sql}) ${by}`;
  // These two are combined: an event without values has one row, with NULL.
  const unnested = `SELECT ${listed}unnest(v) AS x, unnest(range(greatest(coalesce(len(v), 0), 1))) AS nth FROM (${sql})`;
  return `SELECT ${listed}${figureOf(metric)} AS value, count(*) FILTER (nth = 0) AS count,
    count(*) FILTER (x IS NULL) AS missing FROM (${unnested}) ${by}`;
}

/** SQL: a column, or the list of an attribute's texts. */
function textsOf(place: FieldPlace): string {
  return 'field' in place ? columns[place.field] : sqlAttributeTexts(place.path, 'attributes');
}

/** SQL: the list of what the metric is about. */
function valuesOf(metric: Metric, of: string): string {
  if (metric !== 'distinct') return sqlAttributeNumbers(numberPath(of), 'attributes');
  const place = fieldPlace(of);
  if ('path' in place) return textsOf(place);
  const column = columns[place.field];
  return `CASE WHEN ${column} IS NOT NULL THEN [${column}] END`;
}

function figureOf(metric: Metric): string {
  const part = percentileParts[metric];
  if (part !== undefined) return `quantile_disc(x, ${part})`;
  return metric === 'distinct' ? 'count(DISTINCT x)' : `${metric}(x)`;
}

function groupOf(row: readonly unknown[], keys: number): AggregateGroup {
  const [value, count, missing] = row.slice(keys);
  return {
    key: row.slice(0, keys) as GroupKey,
    value: value === null ? null : Number(value),
    count: Number(count),
    missing: Number(missing),
  };
}

/** SQL: whether the keys are those of one of the groups. */
function isOneOf(keys: readonly string[], groups: readonly AggregateGroup[]): string {
  if (groups.length === 0) return 'FALSE';
  const isOne = groups.map(({ key }) =>
    keys
      .map((name, i) => {
        const text = key[i] ?? null;
        return text === null ? `${name} IS NULL` : `${name} = ${sqlLiteral(text)}`;
      })
      .join(' AND '),
  );
  return isOne.map((condition) => `(${condition})`).join(' OR ');
}

import {
  attributeValues,
  compilePredicate,
  FilterSubject,
  parseFilter,
  parseNumber,
  type Filter,
} from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import { placedEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import type { AggregateGroup, AggregateQuery, Metric } from '../aggregate/aggregate-query.ts';
import { SearchStoreError, type SearchStore } from '../search-store.ts';

type WithStore = (title: string, run: (store: SearchStore) => Promise<void>) => void;

/** Registers the tests of SearchStore.aggregate(). */
export function aggregateContract(withStore: WithStore): void {
  withStore('events are grouped by fields and attributes, missing values named', async (store) => {
    await store.index([
      event(1, { service: 'shop', host: 'a', attributes: '{"http":{"status":500},"ms":10}' }),
      event(2, { service: 'shop', host: null, attributes: '{"http.status":"500","ms":"20"}' }),
      event(3, { service: 'pay', host: 'a', attributes: '{"http":{"status":200},"ms":"12ms"}' }),
      event(4, { service: 'pay', host: null, attributes: '{"ms":[1,"3",3,true,"x"]}' }),
    ]);
    const all = await store.aggregate(query({ by: [], metric: 'count' }));
    assert.deepEqual(all, { groups: [group([], 4, 4)], other: { groups: 0, events: 0 }, exact: true });
    const byHost = await store.aggregate(query({ by: ['service', 'host'], metric: 'count' }));
    assert.deepEqual(byHost.groups, [
      group(['pay', 'a'], 1, 1),
      group(['pay', null], 1, 1),
      group(['shop', 'a'], 1, 1),
      group(['shop', null], 1, 1),
    ]);
    const byStatus = await store.aggregate(
      query({ by: ['attributes.http.status'], metric: 'count', limit: 1 }),
    );
    assert.deepEqual(byStatus, {
      groups: [group(['500'], 2, 2)],
      other: { groups: 2, events: 2 },
      exact: true,
    });
    const sum = await store.aggregate(query({ by: ['service'], metric: 'sum', of: 'attributes.ms' }));
    assert.deepEqual(sum.groups, [group(['shop'], 30, 2), group(['pay'], 4, 2, 1)]);
    const perStatus = await store.aggregate(
      query({ by: ['attributes.http.status'], metric: 'max', of: 'attributes.ms' }),
    );
    assert.deepEqual(perStatus.groups, [
      group(['500'], 20, 2),
      group([null], 3, 1),
      group(['200'], null, 1, 1),
    ]);
    const byValue = await store.aggregate(query({ by: ['attributes.ms'], metric: 'count' }));
    assert.deepEqual(
      byValue.groups.map(({ key: [text], value }) => [text, value]),
      ['1', '10', '12ms', '20', '3', 'true', 'x'].map((text) => [text, 1]),
    );
  });

  withStore('every metric of every group is what its events say', async (store) => {
    const events = variedEvents(400);
    await store.index(events);
    const bys = [
      [],
      ['level'],
      ['service', 'attributes.path'],
      ['attributes.tags'],
      ['host', 'correlationId', 'level'],
    ];
    for (const by of bys) {
      for (const metric of ['count', 'min', 'max', 'avg', 'sum', 'p50', 'p95', 'p99'] as const)
        await check(store, events, { by, metric, of: metric === 'count' ? undefined : 'attributes.ms' });
      for (const field of ['service', 'host', 'attributes.ms', 'attributes.tags'])
        await check(store, events, { by, metric: 'distinct', of: field });
    }
    for (const metric of ['sum', 'p95', 'distinct'] as const)
      await check(store, events, { by: ['level'], metric, of: 'attributes.nowhere' });
    for (const filter of ['level:>=warn AND attributes.ms:>0', 'service:nobody'])
      await check(store, events, {
        by: ['service'],
        metric: 'avg',
        of: 'attributes.ms',
        filter: filterOf(filter),
      });
    const range = { fromMicros: 100_000_000, toMicros: 400_000_000 };
    await check(store, events, { by: ['service'], metric: 'sum', of: 'attributes.ms', ...range });
  });

  withStore('values by interval, of the groups that are returned', async (store) => {
    const events = variedEvents(400);
    await store.index(events);
    for (const metric of ['count', 'sum', 'distinct'] as const) {
      const of = { count: undefined, sum: 'attributes.ms', distinct: 'attributes.tags' }[metric];
      const asked = query({ by: ['service', 'attributes.path'], metric, of, interval: 60_000, limit: 3 });
      const { groups, intervals } = await store.aggregate(asked);
      assert.deepEqual(intervals, { intervalMs: 60_000, fromMicros: -10_000_000, toMicros: 788_000_001 });
      assert.equal(groups.length, 3);
      for (const { key, count, buckets } of groups) {
        assert.equal(buckets?.length, 15);
        assert.equal(
          buckets.reduce((total, bucket) => total + bucket.count, 0),
          count,
        );
        for (const bucket of buckets) {
          const fromMicros = bucket.startMicros;
          const found = wantedGroups(events, { ...asked, fromMicros, toMicros: fromMicros + 60_000_000 });
          const wanted = found.find((each) => JSON.stringify(each.key) === JSON.stringify(key));
          assert.equal(bucket.count, wanted?.count ?? 0);
          assert.equal(bucket.value, wanted?.value ?? (metric === 'sum' ? null : 0));
        }
      }
    }
    const chosen = await store.aggregate(
      query({ by: [], metric: 'count', interval: 'auto', fromMicros: 0, toMicros: 3_600_000_000 }),
    );
    assert.deepEqual([chosen.intervals?.intervalMs, chosen.groups[0]?.buckets?.length], [60_000, 60]);
    const scoped = await store.aggregate(
      query({ by: [], metric: 'count', interval: 'auto', scope: filterOf('offset:[10 TO 20]') }),
    );
    assert.deepEqual(scoped.groups[0]?.count, 11);
    const nothing = await store.aggregate(
      query({
        by: [],
        metric: 'count',
        interval: 'auto',
        filter: filterOf('service:no'),
        scope: filterOf('service:no'),
      }),
    );
    assert.deepEqual(nothing, { groups: [], other: { groups: 0, events: 0 }, exact: true });
    // 1,000 buckets leave room for 20 groups.
    const dense = await store.aggregate(
      query({
        by: ['spanId'],
        metric: 'count',
        interval: 1000,
        fromMicros: 0,
        toMicros: 1_000_000_000,
        limit: 100,
      }),
    );
    assert.deepEqual([dense.groups.length, dense.other.groups], [20, 17]);
    await assert.rejects(
      store.aggregate(query({ by: [], metric: 'count', interval: 1, fromMicros: 0, toMicros: 10_000_000 })),
      hasCode('too-many-buckets'),
    );
  });

  withStore('fields without values to group by, or without numbers, are refused', async (store) => {
    await store.index([event(1)]);
    for (const by of ['message', 'constructor', 'x', 'attributes.', 'id'])
      await assert.rejects(
        store.aggregate(query({ by: [by], metric: 'count' })),
        hasCode('unknown-field'),
        by,
      );
    for (const field of ['service', 'message', 'duration'])
      await assert.rejects(
        store.aggregate(query({ by: [], metric: 'sum', of: field })),
        hasCode('unknown-field'),
        field,
      );
    assert.deepEqual(
      (await store.aggregate(query({ by: ['host'], metric: 'avg', of: 'attributes.a' }))).exact,
      true,
    );
  });
}

async function check(
  store: SearchStore,
  events: readonly PlacedEvent[],
  rest: Partial<AggregateQuery>,
): Promise<void> {
  const asked = query({ limit: 1000, ...rest } as Asked);
  const found = await store.aggregate(asked);
  const wanted = wantedGroups(events, asked);
  const about = JSON.stringify({ by: asked.by, metric: asked.metric, of: asked.of });
  assert.deepEqual(found.other, { groups: 0, events: 0 }, about);
  const byKey = (groups: readonly AggregateGroup[]): AggregateGroup[] =>
    groups.toSorted((a, b) => (JSON.stringify(a.key) < JSON.stringify(b.key) ? -1 : 1));
  if (found.exact) return assert.deepEqual(byKey(found.groups), byKey(wanted), about);
  const bounds = (value: number | null): number | null => (value === null ? null : 0);
  const withoutValue = (groups: readonly AggregateGroup[]): AggregateGroup[] =>
    byKey(groups).map((each) => ({ ...each, value: bounds(each.value) }));
  assert.deepEqual(withoutValue(found.groups), withoutValue(wanted), about);
  const tolerance = asked.metric === 'distinct' ? 0.01 : 0;
  const [lowest, highest] = [
    wantedGroups(events, { ...asked, metric: lowOf(asked.metric) }),
    wantedGroups(events, { ...asked, metric: highOf(asked.metric) }),
  ].map(byKey);
  byKey(found.groups).forEach(({ value }, i) => {
    if (value === null) return;
    const [low, high] = [lowest![i]!.value! - tolerance, highest![i]!.value! + tolerance];
    assert.ok(value >= low && value <= high, `${about}: ${value} is not between ${low} and ${high}`);
  });
}

/** What an estimate has to lie between. */
const lowOf = (metric: Metric): Metric => (metric === 'distinct' ? metric : metric === 'p50' ? 'min' : 'p50');
const highOf = (metric: Metric): Metric => (metric === 'distinct' ? metric : 'max');

/** Groups in no order, computed event by event from the words of the port. */
function wantedGroups(events: readonly PlacedEvent[], asked: AggregateQuery): AggregateGroup[] {
  const matches = compilePredicate(asked.filter);
  const { by, metric, of, fromMicros = -Infinity, toMicros = Infinity } = asked;
  const groups = new Map<string, { key: (string | null)[]; values: (string | number)[][] }>();
  const valuesOf = (e: PlacedEvent, name: string): (string | number | boolean)[] => {
    if (name.startsWith('attributes.')) return [...(attributeValues(e.attributes).get(name.slice(11)) ?? [])];
    const value = e[name as 'service' | 'host'];
    return value === null ? [] : [value];
  };
  for (const e of events) {
    if (!matches(new FilterSubject(e)) || e.timestamp < fromMicros || e.timestamp >= toMicros) continue;
    const values = of === undefined ? [] : valuesOf(e, of);
    const counted: (string | number | undefined)[] = values.map((value) => {
      if (metric === 'distinct') return String(value);
      return typeof value === 'string' ? parseNumber(value) : typeof value === 'number' ? value : undefined;
    });
    const different = [...new Set(counted.filter((value) => value !== undefined))];
    let keys: (string | null)[][] = [[]];
    for (const name of by) {
      const texts = [...new Set(valuesOf(e, name).map(String))];
      keys = keys.flatMap((key) => (texts.length === 0 ? [null] : texts).map((text) => [...key, text]));
    }
    for (const key of keys) {
      const text = JSON.stringify(key);
      const each = groups.get(text) ?? { key, values: [] };
      each.values.push(different);
      groups.set(text, each);
    }
  }
  return [...groups.values()].map(({ key, values }) =>
    group(
      key,
      valueOf(metric, values),
      values.length,
      metric === 'count' ? 0 : values.filter((list) => list.length === 0).length,
    ),
  );
}

function valueOf(metric: Metric, lists: (string | number)[][]): number | null {
  if (metric === 'count') return lists.length;
  if (metric === 'distinct') return new Set(lists.flat()).size;
  const numbers = (lists.flat() as number[]).sort((a, b) => a - b);
  if (numbers.length === 0) return null;
  const sum = numbers.reduce((a, b) => a + b, 0);
  if (metric === 'sum') return sum;
  if (metric === 'avg') return sum / numbers.length;
  if (metric === 'min') return numbers[0]!;
  if (metric === 'max') return numbers.at(-1)!;
  return numbers[Math.ceil((Number(metric.slice(1)) / 100) * numbers.length) - 1]!;
}

/** Numbers are multiples of a quarter, so that their sum is the same in any order. */
function variedEvents(count: number): PlacedEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const ms = ((i * 37) % 101) / 4 - 3;
    const written = [ms, String(ms), `${ms}ms`, [ms, String(ms), ms + 1, 'slow'], undefined][i % 5];
    const tags = [undefined, 'x', ['x', 'y', 7], ['7', true], { deep: 1 }][(i * 3) % 5];
    return event(i, {
      timestamp: i * 2_000_000 - 10_000_000,
      level: (['info', 'warn', 'error'] as const)[(i * 7) % 3]!,
      service: ['shop', 'pay', 'search'][i % 3]!,
      host: i % 4 === 0 ? null : `host-${i % 2}`,
      spanId: `span-${i % 37}`,
      correlationId: i % 6 === 0 ? null : `c-${i % 9}`,
      attributes: JSON.stringify({ ms: written, path: i % 7 === 0 ? undefined : `/a/${i % 6}`, tags }),
    });
  });
}

type Asked = Pick<AggregateQuery, 'by' | 'metric'> & Partial<AggregateQuery>;

function query(rest: Asked): AggregateQuery {
  return { filter: filterOf(''), limit: 50, ...rest };
}

function group(key: (string | null)[], value: number | null, count: number, missing = 0): AggregateGroup {
  return { key, value, count, missing };
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SearchStoreError && error.code === code;
}

function event(offset: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  return placedEvent(offset, { id: `http-p-0-${offset}`, timestamp: offset, ...rest });
}

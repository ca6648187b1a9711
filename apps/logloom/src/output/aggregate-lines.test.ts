import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { aggregateLines, type AggregateResult } from './aggregate-lines.ts';

const plain = (result: AggregateResult, fields: string[], metric: string): string[] =>
  aggregateLines(result, fields, metric).map((line) => stripVTControlCharacters(line));

test('groups are a table, and what is missing or left out is said', () => {
  const result: AggregateResult = {
    groups: [
      { key: { service: 'pay', host: null }, value: 812.5, count: 40, missing: 2 },
      { key: { service: 'we\u001bb', host: 'a' }, value: null, count: 3, missing: 3 },
    ],
    other: { groups: 2, events: 7 },
    exact: false,
  };
  assert.deepEqual(plain(result, ['service', 'host'], 'p95 attributes.ms'), [
    'service    host    p95 attributes.ms  events  without',
    'pay        (none)              812.5      40        2',
    'we\\u001bb  a                       -       3        3',
    'values are estimates',
    '2 more groups with 7 events',
  ]);
});

test('a course over time has a bar for each interval', () => {
  const bucket = (value: number | null) => ({ timestamp: '', value });
  const result: AggregateResult = {
    groups: [{ key: {}, value: 15, count: 15, buckets: [0, 5, null, 10].map(bucket) }],
    ...{ other: { groups: 0, events: 0 }, exact: true, intervalMs: 1000, from: 'A', to: 'B' },
  };
  assert.deepEqual(plain(result, [], 'count'), [
    'count  over time',
    '   15  ▁▅ █',
    'A to B, 1000 ms each; the highest is 10',
  ]);
});

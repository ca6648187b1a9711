import { parseFilter } from '@logloom/filter';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiRig, rigEvent } from '../testing/api-rig.ts';
import type { AggregateJson } from './aggregate-route.ts';

const events = [
  rigEvent(1, { service: 'web', host: 'a', attributes: '{"duration_ms":10,"http":{"status":200}}' }),
  rigEvent(2, { service: 'web', host: 'a', attributes: '{"duration_ms":"30","http":{"status":500}}' }),
  rigEvent(3, { service: 'web', host: null, attributes: '{"duration_ms":"12ms"}' }),
  rigEvent(70, { service: 'pay', host: 'b', attributes: '{"duration_ms":100}' }),
];

test('events are grouped, with a metric of each group and of each interval', async () => {
  await using api = await openApiRig();
  await api.search.index(events);
  const aggregate = async (parameters: Record<string, string>): Promise<AggregateJson> => {
    const { status, text } = await api.get('aggregate', parameters);
    assert.equal(status, 200, text);
    return JSON.parse(text) as AggregateJson;
  };
  assert.deepEqual(await aggregate({}), {
    groups: [{ key: {}, value: 4, count: 4 }],
    truncated: false,
    other: { groups: 0, events: 0 },
    exact: true,
  });
  const p95 = await aggregate({ by: 'service', metric: 'p95', of: 'attributes.duration_ms' });
  assert.deepEqual(p95.groups, [
    { key: { service: 'pay' }, value: 100, count: 1, missing: 0 },
    { key: { service: 'web' }, value: 30, count: 3, missing: 1 },
  ]);
  const byStatus = await aggregate({ q: 'service:web', by: 'host,attributes.http.status', limit: '2' });
  assert.deepEqual(byStatus, {
    groups: [
      { key: { host: 'a', 'attributes.http.status': '200' }, value: 1, count: 1 },
      { key: { host: 'a', 'attributes.http.status': '500' }, value: 1, count: 1 },
    ],
    truncated: true,
    other: { groups: 1, events: 1 },
    exact: true,
  });
  const perMinute = await aggregate({
    ...{ by: 'service', metric: 'sum', of: 'attributes.duration_ms', interval: '1m' },
    ...{ from: '2024-05-01T11:00:00Z', to: '2024-05-01T11:02:00Z' },
  });
  assert.deepEqual(perMinute.groups[0]?.buckets, [
    { timestamp: '2024-05-01T11:00:00.000000Z', value: null, count: 0 },
    { timestamp: '2024-05-01T11:01:00.000000Z', value: 100, count: 1 },
  ]);
  assert.deepEqual([perMinute.intervalMs, perMinute.to], [60_000, '2024-05-01T11:02:00.000000Z']);
  assert.equal((await aggregate({ interval: 'auto' })).intervalMs, 2000);
});

test('wrong parameters are named, with a code', async () => {
  await using api = await openApiRig();
  await api.search.index(events);
  const wrong: [Record<string, string>, string, string][] = [
    [{ metric: 'median' }, 'bad-parameter', 'metric'],
    [{ metric: 'sum' }, 'bad-parameter', 'of'],
    [{ of: 'attributes.a' }, 'bad-parameter', 'of'],
    [{ by: 'message' }, 'unknown-field', 'by'],
    [{ metric: 'avg', of: 'service' }, 'unknown-field', 'of'],
    [{ by: 'service,host,level,traceId,spanId' }, 'bad-parameter', 'by'],
    [{ interval: 'soon' }, 'bad-parameter', 'interval'],
    [{ interval: '1ms' }, 'too-many-buckets', 'interval'],
    [{ q: 'a AND' }, 'bad-filter', 'q'],
    [{ group: 'service' }, 'bad-parameter', 'group'],
  ];
  for (const [parameters, code, parameter] of wrong) {
    const { status, text } = await api.get('aggregate', parameters);
    const { error } = JSON.parse(text) as { error: { code: string; parameter: string } };
    assert.deepEqual([status, error.code, error.parameter], [400, code, parameter]);
  }
});

test('a filter that is imposed on a tenant bounds what is counted, and the range of the intervals', async () => {
  const result = parseFilter('service:pay');
  assert.ok(result.ok);
  const { filter } = result;
  await using api = await openApiRig({ authenticate: async () => ({ ok: true, principal: { filter } }) });
  await api.search.index(events);
  const { text } = await api.get('aggregate', { by: 'service', interval: 'auto', q: '*' });
  const { groups, from } = JSON.parse(text) as AggregateJson;
  assert.deepEqual(
    groups.map(({ key, value }) => [key, value]),
    [[{ service: 'pay' }, 1]],
  );
  assert.equal(from, '2024-05-01T11:01:10.000000Z');
  const widened = await api.get('aggregate', { q: 'service:pay OR service:web' });
  assert.equal((JSON.parse(widened.text) as AggregateJson).groups[0]?.value, 1);
});

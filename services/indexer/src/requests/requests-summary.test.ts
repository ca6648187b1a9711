import { correlationDocument } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestsSummary } from './requests-summary.ts';

const store = { event: async () => undefined };
const figures = { requests: 10, errors: 1, p50Ms: 1, p95Ms: 2, p99Ms: 3 };
const result = {
  all: figures,
  groups: [{ key: 'shop', ...figures, latest: correlationDocument('e-0-1') }],
  otherGroups: 0,
  without: 0,
  firstAt: 10_000_000,
  lastAt: 19_000_000,
};
const query = { by: 'service' as const, nowMicros: 100_000_000 };

test('the rate is over the given range, or that of the requests', async () => {
  const given = { ...query, fromMicros: 0, toMicros: 20_000_000 };
  const whole = await requestsSummary(store, { ...result, complete: true }, given);
  assert.deepEqual(
    [whole.from, whole.to, whole.all.rate],
    ['1970-01-01T00:00:00.000000Z', '1970-01-01T00:00:20.000000Z', 0.5],
  );
  assert.deepEqual([whole.groups[0]!.key, whole.groups[0]!.latest.name], [{ service: 'shop' }, undefined]);
  const open = await requestsSummary(store, { ...result, complete: true }, query);
  assert.deepEqual([open.from, open.to], ['1970-01-01T00:00:10.000000Z', '1970-01-01T00:00:19.000001Z']);
});

test('where only the latest are counted, the range begins with the first of them', async () => {
  const given = { ...query, fromMicros: 0, toMicros: 20_000_000 };
  const part = await requestsSummary(store, { ...result, complete: false }, given);
  assert.deepEqual([part.from, part.complete, part.all.rate], ['1970-01-01T00:00:10.000000Z', false, 1]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Incident } from '../result.ts';
import { seeded } from '../verdict/seeded.ts';
import { addressesOf } from './addresses.ts';
import { syntheticRun } from './testing/synthetic-run.ts';

const failure = (address: string, count = 1): Incident => ({
  atS: 10,
  kind: 'connection-lost',
  reason: 'ECONNRESET',
  address,
  count,
});

test('an address with most of the failures stands out, and is named first', () => {
  const run = syntheticRun(60);
  const [first, second] = addressesOf({
    ...run,
    incidents: [failure('127.0.0.2', 3), failure('127.0.0.7', 30), failure('127.0.0.3', 2)],
  });
  assert.deepEqual([first!.address, first!.failures], ['127.0.0.7', 30]);
  assert.ok(Math.abs(first!.share - 30 / 35) < 1e-9);
  assert.ok(first!.p < 1e-6 && second!.p > 0.05);
});

test('of runs whose failures come from anywhere at most 5 in 100 have an address that stands out', () => {
  let found = 0;
  for (let seed = 0; seed < 400; seed++) {
    const random = seeded(seed);
    const incidents = Array.from({ length: 60 }, () => failure(`127.0.0.${1 + Math.floor(random() * 20)}`));
    if (addressesOf({ ...syntheticRun(1), incidents }).some(({ p }) => p < 0.05)) found++;
  }
  assert.ok(found <= 30, `${found} of 400`);
});

test('without a failure, or without addresses, nothing is said', () => {
  assert.deepEqual(addressesOf(syntheticRun(60)), []);
  assert.deepEqual(addressesOf({ ...syntheticRun(60), incidents: [{ ...failure(''), address: null }] }), []);
});

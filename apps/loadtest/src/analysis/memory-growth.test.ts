import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normal, seeded } from '../verdict/testing/random.ts';
import { memoryGrowth } from './memory-growth.ts';
import { syntheticRun } from './testing/synthetic-run.ts';

const mebibytes = (atS: number, seconds: number, at: (atS: number) => number) =>
  syntheticRun(seconds, (second) => ({ serverMemoryBytes: at(second + atS) * 2 ** 20 }));

test('memory that grows by the same amount all the time is found, with how much it is', () => {
  const noise = normal(seeded(1));
  const [growth] = memoryGrowth(mebibytes(0, 120, (atS) => 400 + 3 * atS + 5 * noise()));
  assert.ok(growth!.amount > 220 && growth!.amount < 300, `${growth!.amount}`);
  assert.match(growth!.detail, /^(2\.9|3\.0)\d? MiB a second/);
});

test('a young process that fills its heap, a cache that is full at last and noise are no growth', () => {
  const noise = normal(seeded(2));
  assert.deepEqual(memoryGrowth(mebibytes(0, 120, (atS) => 500 - 200 * Math.exp(-atS / 15))), []);
  assert.deepEqual(memoryGrowth(mebibytes(0, 120, (atS) => Math.min(500, 300 + 6 * atS))), []);
  assert.deepEqual(memoryGrowth(mebibytes(0, 120, () => 400 + 40 * noise())), []);
  assert.deepEqual(memoryGrowth(syntheticRun(120, () => ({ serverMemoryBytes: null }))), []);
});

test('a server that started again says nothing about a leak', () => {
  const run = mebibytes(0, 120, (atS) => 400 + 3 * atS);
  const restarted = {
    atS: 60,
    kind: 'server-restarted',
    reason: '/metrics',
    address: null,
    count: 1,
  } as const;
  assert.deepEqual(memoryGrowth({ ...run, incidents: [restarted] }), []);
});

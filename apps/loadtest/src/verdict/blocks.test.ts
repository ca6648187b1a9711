import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { independentBlocks, latencyOf, meanOf } from './blocks.ts';
import { normal, seeded } from './testing/random.ts';
import { second } from './testing/sample-run.ts';

const mean = meanOf(({ p95Ms }) => p95Ms);

test('a block whose seconds are alike has their quantiles', () => {
  const seconds = [0, 1, 2, 3, 4].map((atS) => second(atS, 40));
  for (const [quantile, expected] of [
    [0.5, 20],
    [0.95, 40],
    [0.99, 48],
  ] as const) {
    assert.ok(Math.abs(latencyOf(quantile)(seconds)! - expected) < 1e-6);
  }
});

test('one slow second of five lifts the p95 of its block, but not its median', () => {
  const seconds = [10, 10, 10, 10, 1000].map((p95, atS) => second(atS, p95));
  assert.ok(latencyOf(0.95)(seconds)! > 300);
  assert.ok(latencyOf(0.5)(seconds)! < 10);
});

test('a second without deliveries counts for nothing', () => {
  assert.equal(latencyOf(0.95)([second(0, null)]), null);
  assert.ok(Math.abs(latencyOf(0.95)([second(0, null), second(1, 40)])! - 40) < 1e-6);
});

test('a quantile of a block lies between those of its seconds', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 10 }), (p95s) => {
      const value = latencyOf(0.95)(p95s.map((p95, atS) => second(atS, p95)))!;
      assert.ok(value >= Math.min(...p95s) - 1e-3 && value <= Math.max(...p95s) + 1e-3);
    }),
  );
});

test('blocks grow until neighbours are independent, and say where they never are', () => {
  const random = normal(seeded(3));
  const noise = Array.from({ length: 300 }, (_, atS) => second(atS, 50 + random()));
  assert.equal(independentBlocks(noise, mean).seconds, 5);
  let state = 0;
  const slow = Array.from({ length: 2000 }, (_, atS) => second(atS, 50 + (state = 0.8 * state + random())));
  const grown = independentBlocks(slow, mean);
  assert.ok(grown.seconds > 5 && grown.independent);
  const ramp = independentBlocks(
    Array.from({ length: 110 }, (_, atS) => second(atS, 10 + atS)),
    mean,
  );
  assert.equal(ramp.independent, false);
});

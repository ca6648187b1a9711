import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  binomialCdf,
  countInterval,
  dispersion,
  medianInterval,
  shareInterval,
  zeroBound,
} from './interval.ts';
import { normal, seeded } from './testing/random.ts';

test('the median of six values or more lies in its interval in 95 of 100 samples of a skewed distribution', () => {
  const random = normal(seeded(1));
  for (const n of [6, 20, 60]) {
    let covered = 0;
    for (let round = 0; round < 3000; round++) {
      const [low, high] = medianInterval(Array.from({ length: n }, () => Math.exp(random())))!;
      if (low <= 1 && 1 <= high) covered++;
    }
    assert.ok(covered / 3000 >= 0.945 && covered / 3000 < 0.985, `${n}: ${covered / 3000}`);
  }
});

test('an interval of the median lies within the values and holds the median', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 200 }), (values) => {
      const interval = medianInterval(values);
      assert.equal(interval === null, values.length < 6);
      if (!interval) return;
      assert.ok(Math.min(...values) <= interval[0] && interval[1] <= Math.max(...values));
      assert.ok(values.filter((value) => value < interval[0]).length < values.length / 2);
      assert.ok(values.filter((value) => value > interval[1]).length < values.length / 2);
    }),
  );
});

test('ranks of the median are those of published tables', () => {
  const first = (n: number) => medianInterval(Array.from({ length: n }, (_, index) => index + 1))!;
  assert.deepEqual(first(6), [1, 6]);
  assert.deepEqual(first(10), [2, 9]);
  assert.deepEqual(first(25), [8, 18]);
  assert.deepEqual(first(50), [18, 33]);
});

test('a share lies in its interval in about 95 of 100 runs, at least 92 for any share', () => {
  const coverages: number[] = [];
  for (const trials of [60, 500, 3000]) {
    for (let share = 5 / trials; share <= 0.5; share += 0.009) {
      let covered = 0;
      for (let failures = 0; failures <= trials; failures++) {
        const [low, high] = shareInterval(failures, trials);
        if (share < low || share > high) continue;
        covered += binomialCdf(failures, trials, share) - binomialCdf(failures - 1, trials, share);
      }
      coverages.push(covered);
    }
  }
  assert.ok(Math.min(...coverages) > 0.92, `${Math.min(...coverages)}`);
  const mean = coverages.reduce((sum, each) => sum + each, 0) / coverages.length;
  assert.ok(mean > 0.945 && mean < 0.96, `${mean}`);
});

test('none of n allows 3 in n', () => {
  assert.ok(Math.abs(zeroBound(3000) - 0.001) < 1e-5);
  assert.deepEqual(shareInterval(0, 3000), [0, zeroBound(3000)]);
  assert.deepEqual(countInterval(0), [0, 3]);
  assert.equal(zeroBound(0), 1);
});

test('failures that come together count as fewer trials', () => {
  const spread = Array.from({ length: 20 }, (_, index) => ({ failures: index % 2, trials: 100 }));
  const together = spread.map(({ trials }, index) => ({ failures: index === 7 ? 10 : 0, trials }));
  assert.equal(dispersion(spread), 1);
  assert.ok(dispersion(together) > 9);
  assert.equal(dispersion([]), 1);
});

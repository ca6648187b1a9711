import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normal, seeded } from '../verdict/testing/random.ts';
import { holm, mannWhitney, midranks, shiftBetween, twoSided } from './mann-whitney.ts';

const near = (actual: number, expected: number, by = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual}, not ${expected}`);

test('the exact p of small samples is the count of their divisions', () => {
  near(mannWhitney([1, 2, 3], [4, 5, 6]).p, 2 / 20);
  near(mannWhitney([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]).p, 2 / 924);
  near(mannWhitney([1, 2, 4], [3, 5, 6]).p, 4 / 20);
  near(mannWhitney([1, 1, 1], [1, 1, 1]).p, 1);
  // {1,1},{1,2}: of six pairs of places three hold the 2.
  near(mannWhitney([1, 1], [1, 2]).p, 1);
});

test('p is that of the normal distribution', () => {
  near(twoSided(1.959964), 0.05);
  near(twoSided(0), 1);
});

test('equal values share their rank', () => {
  assert.deepEqual(midranks([10, 30, 10, 20]), { ranks: [1.5, 4, 1.5, 3], ties: 6 });
});

test('exchanging the samples keeps p and turns delta and shift round', () => {
  const sample = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(sample, sample, (a, b) => {
      const [there, back] = [mannWhitney(a, b), mannWhitney(b, a)];
      near(there.p, back.p);
      near(there.delta, -back.delta);
      assert.ok(there.p >= 0 && there.p <= 1);
      const [up, down] = [shiftBetween(a, b), shiftBetween(b, a)];
      near(up.estimate, -down.estimate);
      if (up.interval) near(up.interval[0], -down.interval![1]);
    }),
  );
});

test('delta is the share of pairs above less that below', () => {
  assert.equal(mannWhitney([1, 2], [3, 4]).delta, 1);
  assert.equal(mannWhitney([1, 3], [2, 2]).delta, 0);
});

test('of samples from one distribution at most 1 in 20 differ, and intervals enclose the shift in 19 of 20', () => {
  const random = normal(seeded(7));
  for (const [m, n] of [
    [6, 6],
    [12, 9],
    [30, 25],
  ] as const) {
    let rejections = 0;
    let covered = 0;
    for (let round = 0; round < 1000; round++) {
      const a = Array.from({ length: m }, () => Math.exp(random()));
      const b = Array.from({ length: n }, () => 3 + Math.exp(random()));
      if (
        mannWhitney(
          a,
          b.map((value) => value - 3),
        ).p < 0.05
      )
        rejections++;
      const [low, high] = shiftBetween(a, b).interval!;
      if (low <= 3 && 3 <= high) covered++;
    }
    assert.ok(rejections <= 68, `${m}, ${n}: ${rejections} rejections`);
    assert.ok(covered >= 932 && covered < 980, `${m}, ${n}: ${covered} covered`);
  }
});

test("Holm's correction is that of the published example", () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [index, expected] of [0.03, 0.06, 0.06, 0.02].entries()) near(adjusted[index]!, expected);
  assert.deepEqual(holm([]), []);
});

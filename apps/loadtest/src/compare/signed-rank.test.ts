import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normal, seeded } from '../verdict/testing/random.ts';
import { centreOf, signedRank } from './signed-rank.ts';

const near = (actual: number, expected: number, by = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual}, not ${expected}`);

/** Hamilton's depression scale before and after a tranquilizer (Hollander, Wolfe and Chicken, 3rd ed., table 3.1). */
const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
const depression = after.map((value, i) => value - before[i]!);

/** Heights of crossed plants less those of their self-fertilized partners, in eighths of an inch (Darwin 1876; Fisher, The Design of Experiments, table 3). */
const darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

test('p is that of published examples', () => {
  // T+ = 5 of 45, one-sided 0.020 by the book's table A.4: 10 of 2^9 choices of signs.
  near(signedRank(depression).p, (2 * 10) / 2 ** 9);
  near(signedRank(depression).delta, (2 * 5 - 45) / 45);
  // Hollander, Wolfe and Chicken, and R's wilcox.test: V = 96, p = 0.04126.
  near(signedRank(darwin).p, 0.04126, 5e-6);
  near(signedRank(darwin).delta, (2 * 96 - 120) / 120);
});

test('critical values are those of the tables', () => {
  // Wilcoxon's table of the largest lower sum with a two-sided p of at most 0.05.
  for (const [n, largest] of [
    [6, 0],
    [8, 3],
    [10, 8],
    [12, 13],
    [15, 25],
    [20, 52],
    [25, 89],
  ] as const) {
    const withLowerSum = (lower: number): number => {
      let left = lower;
      const signed = Array.from({ length: n }, (_, i) => n - i).map((rank) => {
        if (rank > left) return rank;
        left -= rank;
        return -rank;
      });
      assert.equal(left, 0);
      return signedRank(signed).p;
    };
    assert.ok(withLowerSum(largest) <= 0.05, `${n}`);
    assert.ok(withLowerSum(largest + 1) > 0.05, `${n}`);
  }
});

test('the centre and its interval are those of the published example', () => {
  const { estimate, interval } = centreOf(depression);
  near(estimate, -0.46);
  near(interval![0], -0.786);
  near(interval![1], -0.01);
});

test('differences of zero are left out, equal ones share their rank', () => {
  near(signedRank([0, 0, 1, 2, 3]).p, 2 / 2 ** 3);
  near(signedRank([1, 1, -1, 1]).p, 10 / 2 ** 4);
  assert.deepEqual(signedRank([0, 0]), { p: 1, delta: 0 });
  assert.deepEqual(signedRank([]), { p: 1, delta: 0 });
  assert.equal(centreOf([1, 2, 3, 4, 5]).interval, null);
  assert.deepEqual(centreOf([0, 0, 0, 0, 0, 0]), { estimate: 0, interval: [0, 0] });
});

test('with exchanged sides p stays, and delta and centre turn round', () => {
  const differences = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 130 });
  fc.assert(
    fc.property(differences, (there) => {
      const back = there.map((difference) => -difference);
      near(signedRank(there).p, signedRank(back).p);
      near(signedRank(there).delta, -signedRank(back).delta);
      near(centreOf(there).estimate, -centreOf(back).estimate);
      const interval = centreOf(there).interval;
      if (interval) near(interval[0], -centreOf(back).interval![1]);
    }),
  );
});

test('beyond a hundred differences the normal distribution continues the exact one', () => {
  const random = normal(seeded(3));
  const some = Array.from({ length: 101 }, () => 0.2 + random());
  const fewer = some.toSpliced(50, 1);
  near(signedRank(some).p, signedRank(fewer).p, 0.02);
  near(centreOf(some).interval![0], centreOf(fewer).interval![0], 0.05);
});

test('of pairs without a difference at most 1 in 20 differ, and intervals enclose the centre in 19 of 20', () => {
  const random = normal(seeded(7));
  for (const n of [6, 10, 11, 25, 110]) {
    let rejections = 0;
    let covered = 0;
    for (let round = 0; round < 1000; round++) {
      const differences = Array.from({ length: n }, () => random() ** 3);
      if (signedRank(differences).p < 0.05) rejections++;
      const [low, high] = centreOf(differences.map((difference) => difference + 3)).interval!;
      if (low <= 3 && 3 <= high) covered++;
    }
    assert.ok(rejections <= 68, `${n}: ${rejections} rejections`);
    assert.ok(covered >= 932 && covered < 990, `${n}: ${covered} covered`);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialInflation } from './serial-correlation.ts';
import { normal, seeded } from './testing/random.ts';
import { theilSen } from './theil-sen.ts';

/** A line of this slope, with noise of which each value keeps so much of the one before. */
function series(count: number, slope: number, kept: number, random: () => number): [number, number][] {
  let noise = random() / Math.sqrt(1 - kept ** 2);
  return Array.from({ length: count }, (_, x) => {
    noise = kept * noise + random();
    return [x, slope * x + noise];
  });
}

/** In what share of series the interval holds the slope. */
function covered(kept: number, isSeries: boolean): number {
  const random = normal(seeded(11));
  let count = 0;
  for (let round = 0; round < 300; round++) {
    const [low, high] = theilSen(series(50, 0.5, kept, random), { isSeries }).interval;
    if (low <= 0.5 && 0.5 <= high) count++;
  }
  return count / 300;
}

test('the interval of a series whose values depend on each other is wide enough, and too narrow without', () => {
  const [without, dependent, independent] = [covered(0.6, false), covered(0.6, true), covered(0, true)];
  assert.ok(without < 0.8, `${without}`);
  assert.ok(dependent > 0.9, `${dependent}`);
  assert.ok(independent > 0.93, `${independent}`);
});

test('what alternates, or lies on its line, is not counted as more than it is', () => {
  const alternating = Array.from({ length: 20 }, (_, x): [number, number] => [x, x % 2]);
  assert.equal(serialInflation(alternating, 0), 1);
  // One block below and one above: correlation (16 - 2 - 1) / 16, and (1 + 4 r) / 16 more.
  const blocks = Array.from({ length: 16 }, (_, x): [number, number] => [x, x < 8 ? 0 : 1]);
  const r = Math.min(0.95, 13 / 16 + (1 + (4 * 13) / 16) / 16);
  assert.ok(Math.abs(serialInflation(blocks, 0) - (1 + r) / (1 - r)) < 1e-9);
});

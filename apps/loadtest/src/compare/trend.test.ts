import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunResult } from '../result.ts';
import { normal, seeded } from '../verdict/testing/random.ts';
import { latency, sampleRun } from '../verdict/testing/sample-run.ts';
import { changePoints, forecastOf, slopeOf, trendOf } from './trend.ts';

function runs(p95s: readonly number[]): RunResult[] {
  const run = sampleRun([]);
  return p95s.map((p95, index) => ({
    ...run,
    run: `run-${index}`,
    delivery: { ...run.delivery, latency: latency(p95 / 2, p95) },
    verdict: { overall: 'ready', objectives: [], grade: 'A' },
  }));
}

function noise(count: number, seed: number, at: (index: number) => number): number[] {
  const random = normal(seeded(seed));
  return Array.from({ length: count }, (_, index) => at(index) + random());
}

test('below twenty runs like the latest nothing is said', () => {
  assert.deepEqual(trendOf(runs(noise(19, 1, () => 50)), 'delivery-p95-ms'), {
    shown: false,
    reason: 'not shown: 19 of 20 runs',
  });
  const others = runs(noise(19, 1, () => 50)).map((run) => ({
    ...run,
    scenario: { name: 'other', description: '' },
  }));
  assert.deepEqual(trendOf([...others, ...runs([50])], 'delivery-p95-ms'), {
    shown: false,
    reason: 'not shown: 1 of 20 runs',
  });
  assert.equal(trendOf([], 'lost').shown, false);
});

test('a step is found where it is, with the levels around it', () => {
  const trend = trendOf(runs(noise(50, 2, (index) => (index < 20 ? 50 : 55))), 'delivery-p95-ms');
  assert.ok(trend.shown);
  const [point, ...more] = trend.changePoints;
  assert.equal(more.length, 0);
  assert.ok(Math.abs(point!.index - 20) <= 1);
  assert.equal(point!.run, `run-${point!.index}`);
  assert.ok(Math.abs(point!.before - 50) < 1 && Math.abs(point!.after - 55) < 1);
});

test('two steps are found', () => {
  const found = changePoints(noise(60, 3, (index) => (index < 20 ? 50 : index < 40 ? 60 : 55)));
  assert.deepEqual(
    found.map(({ index }) => Math.round(index / 2) * 2),
    [20, 40],
  );
});

test('of steady histories at most 1 in 100 has a change point', () => {
  let rejections = 0;
  for (let seed = 0; seed < 1000; seed++) {
    if (changePoints(noise(40, seed, () => 50)).length) rejections++;
  }
  assert.ok(rejections <= 16, `${rejections}`);
});

test('a slope lies in its interval in 19 of 20 histories, and 1 steady one in 20 has one', () => {
  let covered = 0;
  let rejections = 0;
  for (let seed = 0; seed < 1000; seed++) {
    const [low, high] = slopeOf(noise(25, seed, (index) => 0.3 * index)).interval;
    if (low <= 0.3 && 0.3 <= high) covered++;
    if (slopeOf(noise(25, seed, () => 50)).p < 0.05) rejections++;
  }
  assert.ok(covered >= 925 && covered <= 975, `${covered}`);
  assert.ok(rejections >= 25 && rejections <= 70, `${rejections}`);
});

test('equal values have no slope', () => {
  assert.deepEqual(slopeOf(new Array<number>(20).fill(3)), { perRun: 0, interval: [0, 0], p: 1 });
});

test('the next run lies in its forecast in 9 of 10 histories, with a trend and without', () => {
  for (const slope of [0, 0.5]) {
    let covered = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const all = noise(26, seed, (index) => 50 + slope * index);
      const [low, high] = forecastOf(all.slice(0, 25));
      if (low <= all[25]! && all[25]! <= high) covered++;
    }
    assert.ok(covered >= 850 && covered <= 950, `${slope}: ${covered}`);
  }
});

test('a forecast is made from the runs since the last change only, and needs twenty of them', () => {
  const enough = trendOf(runs(noise(60, 4, (index) => (index < 30 ? 50 : 80))), 'delivery-p95-ms');
  assert.ok(enough.shown && enough.forecast![0] > 70 && enough.forecast![1] < 90);
  const few = trendOf(runs(noise(40, 4, (index) => (index < 30 ? 50 : 80))), 'delivery-p95-ms');
  assert.ok(few.shown);
  assert.equal(few.forecast, null);
});

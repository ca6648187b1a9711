import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normal, seeded } from '../verdict/testing/random.ts';
import { fitCurve, mostThroughput, throughputAt } from './scalability-fit.ts';

const loads = Array.from({ length: 30 }, (_, i) => 1 + i);

test('a curve is found again, with and without noise', () => {
  const truth = { gamma: 90, sigma: 0.03, kappa: 0.0008 };
  const noise = normal(seeded(1));
  for (const size of [0, 5]) {
    const points = loads.map((load) => ({ load, throughput: throughputAt(truth, load) + size * noise() }));
    const { curve, rootMeanSquareError } = fitCurve(points)!;
    for (const key of ['gamma', 'sigma', 'kappa'] as const)
      assert.ok(
        Math.abs(curve[key] - truth[key]) <= (size === 0 ? 1e-3 : 0.3) * truth[key],
        `${key} ${curve[key]}`,
      );
    assert.ok(rootMeanSquareError <= size * 1.3 + 0.01);
  }
});

test('the published example of Gunther is found again', () => {
  // Guerrilla Capacity Planning, table 5.1: a ray tracing benchmark.
  const points = [
    [1, 20],
    [4, 78],
    [8, 130],
    [12, 170],
    [16, 190],
    [20, 200],
    [24, 210],
    [28, 230],
    [32, 260],
    [48, 280],
    [64, 310],
  ].map(([load, throughput]) => ({ load: load!, throughput: throughput! }));
  const { curve } = fitCurve(points)!;
  assert.ok(curve.sigma > 0.02 && curve.sigma < 0.08, `${curve.sigma}`);
  assert.ok(curve.kappa < 1e-3);
});

test('what is delivered whole has its most at the highest load', () => {
  const { curve } = fitCurve(loads.map((load) => ({ load, throughput: 50 * load })))!;
  assert.ok(Math.abs(mostThroughput(curve, 30) - 1500) < 1);
});

test('no load has more throughput than the most, and some has it', () => {
  for (const curve of [
    { gamma: 1, sigma: 0.05, kappa: 0.001 },
    { gamma: 1, sigma: 0, kappa: 0.01 },
    { gamma: 1, sigma: 0.2, kappa: 0 },
    { gamma: 1, sigma: 1.2, kappa: 0.1 },
  ]) {
    const all = Array.from({ length: 2_900 }, (_, i) => throughputAt(curve, 1 + i / 100));
    const most = mostThroughput(curve, 30);
    assert.ok(all.every((value) => value <= most + 1e-9));
    assert.ok(all.some((value) => value > most * 0.999));
  }
});

test('two loads are too few', () => {
  assert.equal(fitCurve([1, 2, 1, 2].map((load) => ({ load, throughput: load }))), null);
});

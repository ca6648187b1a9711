import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunResult } from '../result.ts';
import { normal, seeded } from '../verdict/testing/random.ts';
import { sampleRun } from '../verdict/testing/sample-run.ts';
import { compareLines } from './compare-lines.ts';
import { compare } from './compare.ts';

const verdict: RunResult['verdict'] = { overall: 'ready', objectives: [], grade: 'A' };

/** Runs that differ from each other by some percent, and their seconds too. */
function runs(count: number, ms: number, seed: number): RunResult[] {
  const random = normal(seeded(seed));
  return Array.from({ length: count }, () => {
    const level = ms * (1 + 0.03 * random());
    return { ...sampleRun(Array.from({ length: 60 }, () => level * (1 + 0.05 * random()))), verdict };
  });
}

const outcome = (a: RunResult[], b: RunResult[], metric: string) =>
  compare(a, b).metrics.find((each) => each.metric === metric)!.outcome;

test('a latency that grew by half is worse, the way back better, an equal one the same', () => {
  const [before, after] = [runs(8, 40, 1), runs(8, 60, 2)];
  assert.equal(outcome(before, after, 'delivery-p95-ms'), 'worse');
  assert.equal(outcome(after, before, 'delivery-p95-ms'), 'better');
  assert.equal(outcome(runs(20, 40, 1), runs(20, 40, 3), 'delivery-p95-ms'), 'same');
});

test('a tenth more CPU by delivery is worse by seven runs a side, which say what they can show', () => {
  const slower = (share: number, seed: number): RunResult[] =>
    runs(7, 40, seed).map((run, i) => ({
      ...run,
      timeline: run.timeline.map((each) => ({ ...each, serverCpu: 0.4 * share * (1 + 0.005 * i) })),
    }));
  const found = compare(slower(1, 1), slower(1.1, 2)).metrics.find(
    ({ metric }) => metric === 'server-cpu-per-delivery-us',
  )!;
  assert.equal(found.outcome, 'worse');
  assert.ok(found.smallestChange! > 0 && found.smallestChange! < found.shift!);
  assert.equal(
    compare(slower(1, 1), slower(1.1, 2), 0.2).metrics.find(({ metric }) => metric === found.metric)?.outcome,
    'same',
  );
});

test('three runs a side are compared by their blocks, and the text says so', () => {
  const comparison = compare(runs(3, 40, 1), runs(3, 60, 2));
  const p95 = comparison.metrics.find(({ metric }) => metric === 'delivery-p95-ms')!;
  assert.deepEqual([p95.by, p95.outcome], ['blocks', 'worse']);
  assert.match(compareLines(comparison)[0]!, /^worse .*blocks of few runs/);
});

test('of comparisons of equal runs none in 100 finds anything better or worse', () => {
  let found = 0;
  for (let seed = 0; seed < 100; seed++) {
    const { metrics } = compare(runs(6, 40, 2 * seed + 1), runs(6, 40, 2 * seed + 2));
    if (metrics.some((each) => each.outcome === 'worse' || each.outcome === 'better')) found++;
  }
  assert.equal(found, 0);
});

test('many lost events are worse, one is not shown, none the same; more throughput is better', () => {
  const change = (run: RunResult, lost: number): RunResult => ({
    ...run,
    delivery: { ...run.delivery, lost: { count: lost, viewers: 1, example: null } },
  });
  const before = runs(2, 40, 1);
  const after = (lost: number) => before.map((run) => change(run, lost));
  assert.equal(outcome(before, after(30), 'lost'), 'worse');
  assert.equal(outcome(before, [change(before[0]!, 1)], 'lost'), 'not-shown');
  assert.equal(outcome(before, after(0), 'lost'), 'same');
  const faster = runs(8, 40, 2).map((run) => ({
    ...run,
    timeline: run.timeline.map((second) => ({ ...second, deliveries: 2 * second.deliveries })),
  }));
  assert.equal(outcome(runs(8, 40, 1), faster, 'deliveries-per-second'), 'better');
});

test('runs in which the generator was the limit are left out, and unlike conditions named', () => {
  const limited = runs(2, 60, 2).map((run) => ({
    ...run,
    scenario: { ...run.scenario, name: 'other' },
    generator: { ...run.generator, limits: ['late'], limitedS: run.timeline.map(({ atS }) => atS) },
  }));
  const comparison = compare(runs(2, 40, 1), limited);
  assert.ok(comparison.metrics.every((each) => each.outcome === 'not-shown' && each.candidate === null));
  assert.equal(comparison.differences.length, 2);
  assert.match(compareLines(comparison).join('\n'), /not alike: scenario: sample in the baseline, other/);
});

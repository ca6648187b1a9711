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

/** Two sides on a machine that drifts by more than they differ: a baseline and a candidate in each round, the one first that `order` says. */
function inRounds(
  count: number,
  ratio: number,
  order: (round: number) => readonly [0 | 1, 0 | 1],
  seed = 1,
): [RunResult[], RunResult[]] {
  const random = normal(seeded(seed));
  const sides: [RunResult[], RunResult[]] = [[], []];
  let minute = 0;
  for (let round = 0; round < count; round++) {
    const drift = 1 + 0.15 * Math.sin(round) + 0.02 * random();
    for (const side of order(round)) {
      const cpu = 0.4 * drift * (side === 1 ? ratio : 1) * (1 + 0.01 * random());
      const [run] = runs(1, 40, seed * 1_000 + minute);
      sides[side].push({
        ...run!,
        startedAt: new Date(Date.UTC(2026, 10, 28, 0, minute++)).toISOString(),
        timeline: run!.timeline.map((each) => ({ ...each, serverCpu: cpu })),
      });
    }
  }
  return sides;
}

const turns = (round: number) => (round % 2 ? ([1, 0] as const) : ([0, 1] as const));
const cpuOf = (comparison: ReturnType<typeof compare>) =>
  comparison.metrics.find(({ metric }) => metric === 'server-cpu-per-delivery-us')!;

test('runs in turns are compared in rounds: a tenth more is worse though the machine drifts by more', () => {
  const found = cpuOf(compare(...inRounds(11, 1.1, turns)));
  assert.deepEqual(
    [found.outcome, found.test, found.by, found.rounds],
    ['worse', 'signed-rank', 'rounds', 11],
  );
  const [low, high] = found.ratio!.interval;
  assert.ok(low > 1.05 && low < 1.1 && high > 1.1 && high < 1.15, `${low} to ${high}`);
  assert.ok(found.smallestChange! < found.shift!);
  assert.equal(cpuOf(compare(...inRounds(11, 1 / 1.1, turns))).outcome, 'better');
  assert.equal(cpuOf(compare(...inRounds(11, 1, turns))).outcome, 'same');
  assert.match(
    compareLines(compare(...inRounds(11, 1.1, turns))).join('\n'),
    /^worse +server-cpu-per-delivery-us .* us, change \+\S+ to \+\S+ \(\+\S+ % to \+\S+ %\), p \S+ by Wilcoxon's signed-rank test of 11 rounds: /m,
  );
});

test('the same runs one side after the other, or in too few rounds, are two samples', () => {
  const [before, after] = inRounds(11, 1.1, turns);
  const later = after.map((run, i) => ({ ...run, startedAt: `2026-11-29T00:${10 + i}:00Z` }));
  const found = cpuOf(compare(before, later));
  assert.deepEqual([found.outcome, found.test, found.rounds], ['not-shown', 'mann-whitney', null]);
  assert.match(compareLines(compare(before, later)).join('\n'), /by Mann and Whitney's test of whole runs/);
  assert.equal(cpuOf(compare(...inRounds(9, 1.1, turns))).test, 'mann-whitney');
});

test('a round in which the generator was the limit, or a run without its partner, is left out', () => {
  const [before, after] = inRounds(13, 1.1, turns);
  const limited = before.map((run, i) =>
    i === 5
      ? {
          ...run,
          generator: { ...run.generator, limits: ['late'], limitedS: run.timeline.map(({ atS }) => atS) },
        }
      : run,
  );
  assert.equal(cpuOf(compare(limited, after.toSpliced(2, 1))).rounds, 11);
});

test('of a server compared with itself in rounds none in 100 finds anything better or worse', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const { metrics } = compare(...inRounds(10, 1, turns, seed));
    const found = metrics.filter((each) => each.outcome === 'worse' || each.outcome === 'better');
    assert.deepEqual(found, [], `${seed}`);
  }
});

test('memory of a process is measured once by all its runs, and few processes are a caveat', () => {
  const sides = inRounds(12, 1.1, turns);
  const withMemory = (startOf: (i: number) => number) =>
    sides.map((runs, side) =>
      runs.map((run, i) => ({
        ...run,
        server: {
          ...run.server!,
          memoryPerConnectionBytes: (side === 1 ? 24_000 : 20_000) + i,
          startsS: [100 * side + startOf(i)],
        },
      })),
    );
  const memoryOf = (startOf: (i: number) => number) => {
    const comparison = compare(withMemory(startOf)[0]!, withMemory(startOf)[1]!);
    const { outcome, rounds } = comparison.metrics.find(
      ({ metric }) => metric === 'memory-per-connection-bytes',
    )!;
    return { outcome, rounds, caveats: comparison.caveats.length };
  };
  assert.deepEqual(
    memoryOf(() => 1),
    { outcome: 'not-shown', rounds: null, caveats: 1 },
  );
  assert.deepEqual(
    memoryOf((i) => i),
    { outcome: 'worse', rounds: 12, caveats: 0 },
  );
  // Two rounds a process: six processes are two samples, too few for pairs.
  assert.deepEqual(
    memoryOf((i) => i >> 1),
    { outcome: 'worse', rounds: null, caveats: 1 },
  );
  assert.match(
    compareLines(compare(...inRounds(12, 1, turns)))[0]!,
    /^note: starts of the target that are known: 1 in the baseline, 1 in/,
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

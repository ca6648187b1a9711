import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { analyse } from '../analysis/analyse.ts';
import { causeNames } from '../analysis/cause-names.ts';
import { shippedCalibration } from '../analysis/shipped-calibration.ts';
import { during, syntheticRun } from '../analysis/testing/synthetic-run.ts';
import { calibrate, isVoid } from './calibration.ts';
import { calibrationLines } from './calibration-lines.ts';
import { injections } from './injection-causes.ts';
import { readKnownRuns, shippedRuns } from './kept-runs.ts';

test('the figures that ship are those that the kept runs give', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(calibrate(readKnownRuns(shippedRuns)))), shippedCalibration);
});

/** Runs with it count only on a machine on which nothing else runs, and none was made there yet. */
const notKept = new Set(['machine-busy']);
const kept = Object.keys(injections).filter((name) => !notKept.has(name));

test('every injection has runs that are kept, and every cause has an injection', () => {
  const runs = readKnownRuns(shippedRuns);
  for (const injection of kept)
    assert.ok(
      runs.some((run) => run.injection === injection),
      injection,
    );
  assert.deepEqual(
    readdirSync(shippedRuns)
      .filter((name) => name.endsWith('.gz'))
      .sort(),
    kept.map((name) => `${name}.json.gz`).sort(),
  );
  assert.deepEqual(new Set(Object.values(injections)), new Set([...Object.keys(causeNames), null]));
});

test('the analysis of a kept run does not know which fault was injected', () => {
  for (const { run } of readKnownRuns(shippedRuns)) assert.deepEqual(run.faults, []);
});

test('a lead counts as right where it is what was injected, and a run without a lead counts for none', () => {
  const cut = syntheticRun(60, during(30, 31, { viewers: 600, disconnects: 400, connects: 400 }));
  const fault = { fromS: 30, toS: 31 };
  const known = { seed: 1, fault, run: cut };
  const { runs, causes, leads } = calibrate([
    { ...known, injection: 'cut' },
    { ...known, injection: 'cut' },
    { ...known, injection: 'server-paused' },
    { ...known, injection: 'none', fault: null, run: syntheticRun(60) },
  ]);
  assert.equal(analyse(cut, {}).lead?.cause, 'connections-cut');
  assert.equal(runs, 4);
  const { led, right, interval } = causes['connections-cut']!;
  assert.deepEqual([led, right], [3, 2]);
  assert.ok(interval[0] > 0.2 && interval[0] < 2 / 3 && interval[1] > 2 / 3 && interval[1] < 1);
  assert.deepEqual(leads, [
    { injection: 'cut', lead: 'connections-cut', runs: 2 },
    { injection: 'none', lead: 'nothing', runs: 1 },
    { injection: 'server-paused', lead: 'connections-cut', runs: 1 },
  ]);
  const text = calibrationLines({ format: 1, runs, causes, leads }).join('\n');
  assert.match(text, /connections-cut +led in 3, right in 2: 21 to 94 %/);
  assert.match(text, /disk-full +led in none of them/);
});

test('a run in which the generator was the limit for a quarter of the time outside the fault does not count', () => {
  const limited = (fromS: number, toS: number) =>
    syntheticRun(
      60,
      () => ({}),
      Array.from({ length: toS - fromS }, (_, i) => ({
        atS: fromS + i,
        kind: 'generator-late' as const,
        reason: '200 ms',
        count: 1,
      })),
    );
  const known = { injection: 'generator-overloaded', seed: 1, fault: { fromS: 20, toS: 30 } };
  assert.equal(isVoid({ ...known, run: limited(19, 36) }), false);
  assert.equal(isVoid({ ...known, run: limited(1, 15) }), true);
  assert.equal(calibrate([{ ...known, run: limited(1, 15) }]).runs, 0);
});

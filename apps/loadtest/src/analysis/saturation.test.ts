import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Incident, Second } from '../result.ts';
import type { Measured } from '../verdict/measured.ts';
import { saturationOf } from './saturation.ts';
import { syntheticRun } from './testing/synthetic-run.ts';

const length = 200;

/** Viewers stay, events grow from 10 to 110 a second; the target delivers at most `capacity` a second. */
function ramp(
  capacity: number,
  more: (load: number) => Partial<Second> = () => ({}),
  incidents: Omit<Incident, 'address'>[] = [],
): Measured {
  return syntheticRun(
    length,
    (atS) => {
      const due = 10 + Math.floor(atS / 20) * 10;
      const wave = 1 + 0.01 * Math.sin(atS);
      return { due, sent: due, deliveries: Math.min(due * 1000, capacity) * wave, ...more(due * 1000) };
    },
    incidents,
  );
}

test('a ramp that the target follows says so, and how much more it takes at least', () => {
  const { outcome, reason, fit, headroom } = saturationOf(ramp(Infinity));
  assert.equal(outcome, 'not-reached', reason);
  assert.equal(fit!.saturation, null);
  assert.ok(headroom!.atLeast && headroom!.share > 3);
});

test('a target that has a capacity is saturated near it, and what gave out first is named', () => {
  const { outcome, reason, fit, signs, headroom } = saturationOf(
    ramp(60_000, (load) => ({ serverLoopShare: Math.min(1, load / 62_000) })),
  );
  assert.equal(outcome, 'reached');
  const { value, interval } = fit!.saturation!;
  assert.ok(value > 54_000 && value < 66_000, `${value}`);
  assert.ok(interval[0] <= value && value <= interval[1]);
  assert.equal(signs[0]!.sign, 'server event loop');
  assert.match(reason, /server event loop/);
  assert.ok(headroom!.share > 1.5);
});

test('a reading that is over its limit at the least load too is no sign of saturation', () => {
  const { outcome, signs } = saturationOf(ramp(60_000, () => ({ serverLoopShare: 0.97 })));
  assert.equal(outcome, 'reached');
  assert.deepEqual(
    signs.map(({ sign }) => sign),
    ['throughput'],
  );
});

test('where the generator was the limit first, nothing is shown of the target', () => {
  const incidents = Array.from({ length: 100 }, (_, i) => ({
    atS: 100 + i,
    kind: 'generator-busy' as const,
    reason: 'CPU',
    count: 1,
  }));
  const { outcome, reason, fit } = saturationOf(ramp(60_000, () => ({}), incidents));
  assert.deepEqual([outcome, fit], ['not-shown', null]);
  assert.match(reason, /generator/);
});

test('a steady load, a short run and a run with a fault show nothing', () => {
  assert.match(saturationOf(syntheticRun(length)).reason, /did not grow/);
  assert.match(saturationOf(syntheticRun(30)).reason, /too short/);
  const fault = {
    kind: 'cut',
    startedS: 3,
    endedS: 3,
    detectedS: 3,
    recoveredS: 4,
    detail: '',
    undone: true,
  };
  assert.match(saturationOf({ ...ramp(Infinity), faults: [fault] as Measured['faults'] }).reason, /faults/);
});

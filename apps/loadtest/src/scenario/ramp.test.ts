import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ramp } from './ramp.ts';
import type { Shape, Stage } from './scenario.ts';

const shapes: readonly Shape[] = ['linear', 'exponential', 'steps', 'spike', 'bursts'];
const stage = fc.record({
  to: fc.integer({ min: 0, max: 10_000 }),
  seconds: fc.integer({ min: 1, max: 600 }),
  shape: fc.constantFrom(...shapes),
});
const stages = fc.array(stage, { minLength: 1, maxLength: 6 });

test('the times of a ramp’s events are in order, and each is when so many are due', () => {
  fc.assert(
    fc.property(
      stages,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2 }),
      (of, shares) => {
        const ramp = new Ramp(of);
        let before = 0;
        for (const share of shares.sort((a, b) => a - b)) {
          const count = share * ramp.total;
          const time = ramp.timeOf(count);
          assert.ok(time >= before - 1e-9 && time <= ramp.seconds);
          before = time;
          assert.ok(
            Math.abs(ramp.integral(time) - count) <= 1e-6 * Math.max(1, ramp.total),
            `${count} at ${time}`,
          );
        }
        assert.equal(ramp.timeOf(ramp.total * 1.01 + 1), Infinity);
      },
    ),
  );
});

test('a ramp never leaves the range of its ends, and takes as long as its stages', () => {
  fc.assert(
    fc.property(stages, fc.double({ min: 0, max: 1, noNaN: true }), (of, share) => {
      const ramp = new Ramp(of);
      const value = ramp.valueAt(share * ramp.seconds);
      const highest = Math.max(1, ...of.map(({ to }) => to));
      assert.ok(value >= 0 && value <= highest * (1 + 1e-9));
      assert.ok(Math.abs(ramp.seconds - of.reduce((sum, { seconds }) => sum + seconds, 0)) < 1e-6);
    }),
  );
});

const shaped = (shape: Shape, extra: Partial<Stage> = {}): Ramp =>
  new Ramp([
    { to: 100, seconds: 1, shape: 'linear' },
    { to: 1_000, seconds: 10, shape, ...extra },
  ]);

test('each shape has the form that its name says', () => {
  assert.equal(shaped('linear').valueAt(6), 550);
  assert.ok(Math.abs(shaped('exponential').valueAt(6) - Math.sqrt(100 * 1_000)) < 1);
  assert.deepEqual(
    [1.5, 3.5, 5.5, 7.5, 10.9].map((at) => shaped('steps').valueAt(at)),
    [280, 460, 640, 820, 1_000],
  );
  assert.deepEqual(
    [1, 6, 11].map((at) => shaped('spike').valueAt(at)),
    [100, 1_000, 100],
  );
  assert.deepEqual(
    [1.5, 5.9, 6.5, 10.5].map((at) => shaped('bursts', { count: 2 }).valueAt(at)),
    [100, 1_000, 100, 1_000],
  );
});

import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryTime, ViewerMeter, windowMs } from './viewer-meter.ts';

const start = 1_000 * windowMs;

test('the percentiles are upper bounds, at most half as much again as the ages', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ age: fc.integer({ min: 0, max: 190_000 }), events: fc.integer({ min: 1, max: 50 }) }),
        {
          minLength: 1,
        },
      ),
      (writes) => {
        const meter = new ViewerMeter();
        for (const { age, events } of writes) meter.wrote(10, events, deliveryTime(start, start - age));
        const all = writes
          .flatMap(({ age, events }) => Array<number>(events).fill(age))
          .sort((a, b) => a - b);
        const found = meter.ages(start)!;
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
        ] as const) {
          const exact = all[Math.ceil(all.length * share) - 1]!;
          assert.ok(
            found[name] >= exact && found[name] <= Math.ceil(Math.max(1, exact) * 1.5),
            `${name}: ${found[name]} for ${exact}`,
          );
        }
      },
    ),
  );
});

test('ages and rate are of this window and the one before; totals are of all time', () => {
  const meter = new ViewerMeter();
  assert.equal(meter.ages(start), undefined);
  meter.wrote(100, 60, deliveryTime(start, start - 10));
  assert.deepEqual(meter.ages(start + windowMs - 1), { p50: 12, p95: 12, p99: 12 });
  assert.equal(meter.rate(start + windowMs - 1, 0).toFixed(1), '1.0');
  assert.equal(meter.rate(start + windowMs, 0), 2);
  meter.wrote(100, 30, deliveryTime(start + windowMs, start + windowMs - 5000));
  assert.equal(meter.ages(start + windowMs)!.p99, 7482);
  assert.equal(meter.ages(start + windowMs)!.p50, 12);
  // The window before last is forgotten.
  assert.equal(meter.ages(start + 2 * windowMs)!.p50, 7482);
  assert.equal(meter.ages(start + 9 * windowMs), undefined);
  assert.equal(meter.rate(start + 9 * windowMs, 0), 0);
  assert.deepEqual([meter.bytes, meter.events], [200, 90]);
});

test('who has just connected has the rate of a second at least, and history has no age', () => {
  const meter = new ViewerMeter();
  meter.wrote(100, 500, deliveryTime(start));
  assert.equal(meter.rate(start, start), 500);
  assert.equal(meter.rate(start + 10_000, start), 50);
  assert.equal(meter.ages(start), undefined);
});

test('what cannot be of the past, and what is older than all bounds, stay in the first and the last bucket', () => {
  const meter = new ViewerMeter();
  meter.wrote(1, 1, deliveryTime(start, start + 60_000));
  assert.equal(meter.ages(start)!.p99, 1);
  meter.wrote(1, 1, deliveryTime(start, 0));
  assert.equal(meter.ages(start)!.p99, 191_752);
});

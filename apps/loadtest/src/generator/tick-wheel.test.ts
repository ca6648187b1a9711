import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TickWheel } from './tick-wheel.ts';

test('each call comes once, not before its time and at most two ticks after it, in order of time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 50 }), (waits) => {
      let now = 1_000;
      const wheel = new TickWheel(50, () => now);
      const calls: [wait: number, atMs: number][] = [];
      for (const wait of waits) wheel.after(wait, () => calls.push([wait, now - 1_000]));
      assert.equal(wheel.size, waits.length);
      for (; now <= 6_200; now += 50) wheel.tick();
      assert.deepEqual(calls.map(([wait]) => wait).sort(), [...waits].sort());
      for (const [wait, atMs] of calls) assert.ok(atMs >= wait && atMs <= wait + 100, `${wait} at ${atMs}`);
      assert.equal(wheel.size, 0);
    }),
  );
});

test('what is missed while the process is held up comes at once, and a call may ask for another', () => {
  let now = 0;
  const wheel = new TickWheel(50, () => now);
  const calls: string[] = [];
  wheel.after(100, () => {
    calls.push('first');
    wheel.after(100, () => calls.push('second'));
  });
  now = 10_000;
  wheel.tick();
  assert.deepEqual(calls, ['first']);
  now += 200;
  wheel.tick();
  assert.deepEqual(calls, ['first', 'second']);
});

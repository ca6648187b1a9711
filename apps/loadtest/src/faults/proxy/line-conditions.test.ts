import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combined, delayMs } from './line-conditions.ts';

const none = { isHeld: false, corruptRate: 0 };

test('conditions that hit a connection at once come together', () => {
  assert.equal(combined([]), undefined);
  assert.deepEqual(
    combined([
      { ...none, latencyMs: 10, loss: 0.5, bytesPerSecond: 100 },
      { ...none, latencyMs: 5, jitterMs: 3, loss: 0.5, bytesPerSecond: 50, isHeld: true },
    ]),
    { isHeld: true, corruptRate: 0, latencyMs: 15, jitterMs: 3, loss: 0.75, bytesPerSecond: 50 },
  );
});

test('a lost segment costs a retransmission timeout, twice as long at each further loss', () => {
  const random = (numbers: number[]) => () => numbers.shift()!;
  const lossy = { ...none, latencyMs: 10, jitterMs: 4, loss: 0.1 };
  assert.equal(delayMs(lossy, 1_000, random([0.5, 0.9])), 12);
  assert.equal(delayMs(lossy, 1_000, random([0.5, 0.01, 0.9])), 212);
  assert.equal(delayMs(lossy, 1_000, random([0.5, 0.01, 0.01, 0.9])), 612);
  // Two segments, of which the second is lost.
  assert.equal(delayMs(lossy, 2_000, random([0.5, 0.9, 0.01, 0.9])), 212);
});

import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryLaterError } from './job-queue-error.ts';
import { delayAfter, retryDelay } from './retry-delay.ts';

test('exponential doubles, fixed stays, none is at once', () => {
  const exponential = { type: 'exponential', delayMs: 100 } as const;
  assert.deepEqual(
    [1, 2, 3, 4].map((attempt) => retryDelay(exponential, attempt, 0.5)),
    [100, 200, 400, 800],
  );
  assert.equal(retryDelay({ type: 'fixed', delayMs: 100 }, 4, 0.5), 100);
  assert.equal(retryDelay(undefined, 4, 0.5), 0);
});

test('the delay is a whole number between (1 - jitter) and 1 times the full one, and at most a day', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 1, max: 1000 }),
      (delayMs, jitter, random, attempt) => {
        const full = retryDelay({ type: 'exponential', delayMs }, attempt, random);
        const delay = retryDelay({ type: 'exponential', delayMs, jitter }, attempt, random);
        assert.ok(Number.isInteger(delay) && full <= 86_400_000);
        assert.ok(delay <= full && delay >= Math.floor(full * (1 - jitter)));
      },
    ),
  );
});

test('an error that says when to try again replaces the backoff, within a day', () => {
  const backoff = { type: 'fixed', delayMs: 100 } as const;
  assert.equal(delayAfter(new Error('x'), backoff, 1, 0), 100);
  assert.equal(delayAfter(new RetryLaterError('x', 7.4), backoff, 1, 0), 7);
  assert.equal(delayAfter(new RetryLaterError('x', -1), backoff, 1, 0), 0);
  assert.equal(delayAfter(new RetryLaterError('x', 1e12), backoff, 1, 0), 86_400_000);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from './token-bucket.ts';

test('a burst goes through at once, then debts are paid off at the rate', () => {
  const bucket = new TokenBucket(100, 2, 0);
  assert.equal(bucket.waitMs(0), 0);
  bucket.take(199, 0);
  assert.equal(bucket.waitMs(0), 0);
  bucket.take(51, 0);
  const wait = bucket.waitMs(0);
  assert.equal(wait, 501);
  assert.ok(bucket.waitMs(wait - 2) > 0);
  assert.equal(bucket.waitMs(wait), 0);
  bucket.take(1, 1_000_000);
  assert.equal(bucket.waitMs(1_000_000), 0, 'more than the burst is never saved up');
  bucket.take(199, 1_000_000);
  assert.equal(bucket.waitMs(1_000_000), 1);
  assert.equal(bucket.waitMs(999_000), 1, 'a clock that is set back adds nothing');
});

test('whoever waits as told gets no more than the rate, but for the burst and one request', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 100 }),
      (rate, burst, requests) => {
        const bucket = new TokenBucket(rate, burst, 0);
        let now = 0;
        let before = 0;
        for (const amount of requests) {
          now += bucket.waitMs(now);
          // To a millisecond: sums of doubles are off by their last digit.
          assert.ok(bucket.waitMs(now) <= 1, 'it waited as long as it was told');
          now += bucket.waitMs(now);
          assert.ok(before <= rate * burst + (rate * now) / 1000 + 1e-6);
          bucket.take(amount, now);
          before += amount;
        }
      },
    ),
  );
});

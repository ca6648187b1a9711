import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReceiverHealth } from './receiver-health.ts';

test('a receiver that is silent three times is asked once after each pause, which grows, until it answers', () => {
  const health = new ReceiverHealth();
  for (let i = 0; i < 2; i++) assert.equal(health.silent('a', 0), 0);
  assert.equal(health.waitMs('a', 0), 0);
  assert.equal(health.silent('a', 0), 10_000);
  assert.equal(health.waitMs('a', 4_000), 6_000);
  assert.equal(health.waitMs('b', 4_000), 0, 'others are not concerned');
  assert.equal(health.waitMs('a', 10_000), 0, 'one may ask');
  assert.ok(health.waitMs('a', 10_000) > 0, 'and no other meanwhile');
  assert.equal(health.silent('a', 10_000), 20_000);
  let nowMs = 10_000;
  for (let i = 0; i < 20; i++) nowMs += health.silent('a', nowMs);
  assert.equal(health.silent('a', nowMs), 300_000);
  health.answered('a');
  assert.equal(health.waitMs('a', nowMs), 0);
  assert.equal(health.silent('a', nowMs), 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Patience } from './patience.ts';

const drainMs = 8_000;

test('an attempt settles as its work does, until the time for draining is over', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const draining = new AbortController();
  const patience = new Patience(30_000, draining.signal);
  assert.equal(await patience.attempt(async () => 'done'), 'done');
  await assert.rejects(
    patience.attempt(async () => Promise.reject(new Error('refused'))),
    { message: 'refused' },
  );

  const states: string[] = [];
  const hanging = patience.attempt(() => new Promise(() => {}));
  hanging.catch((error: Error) => states.push(error.message));
  t.mock.timers.tick(60_000);
  draining.abort();
  t.mock.timers.tick(drainMs - 1);
  await Promise.resolve();
  assert.deepEqual(states, [], 'it may still succeed');
  t.mock.timers.tick(1);
  await assert.rejects(hanging, { message: 'no answer before the service ends' });
  assert.equal(patience.left(Date.now()), 0);
  await assert.rejects(
    patience.attempt(() => new Promise(() => {})),
    { message: 'no answer before the service ends' },
  );
});

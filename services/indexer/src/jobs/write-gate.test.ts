import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WriteGate } from './write-gate.ts';

test('the exchange waits for the writes that run, and writes that come meanwhile wait for it', async () => {
  const gate = new WriteGate();
  const order: string[] = [];
  const held = Promise.withResolvers<void>();
  const exchanging = Promise.withResolvers<void>();
  const first = gate.write(async () => {
    await held.promise;
    order.push('first');
  });
  const exchange = gate.exclusive(async () => {
    order.push('exchange begins');
    await exchanging.promise;
    order.push('exchange ends');
  });
  const second = gate.write(async () => order.push('second'));
  await nextTurn();
  assert.deepEqual(order, []);
  held.resolve();
  await nextTurn();
  assert.deepEqual(order, ['first', 'exchange begins']);
  exchanging.resolve();
  await Promise.all([first, exchange, second]);
  assert.deepEqual(order, ['first', 'exchange begins', 'exchange ends', 'second']);
});

test('an exchange that fails lets the writes through', async () => {
  const gate = new WriteGate();
  await assert.rejects(
    gate.exclusive(async () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await gate.write(async () => 1), 1);
});

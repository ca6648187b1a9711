import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ExchangeLock } from './exchange-lock.ts';

test('the exchange waits for the writes that run, and writes that come meanwhile wait for it', async () => {
  const exchangeLock = new ExchangeLock();
  const order: string[] = [];
  const held = Promise.withResolvers<void>();
  const exchanging = Promise.withResolvers<void>();
  const first = exchangeLock.write(async () => {
    await held.promise;
    order.push('first');
  });
  const exchange = exchangeLock.exclusive(async () => {
    order.push('exchange begins');
    await exchanging.promise;
    order.push('exchange ends');
  });
  const second = exchangeLock.write(async () => order.push('second'));
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
  const exchangeLock = new ExchangeLock();
  await assert.rejects(
    exchangeLock.exclusive(async () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await exchangeLock.write(async () => 1), 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue, QueueFullError, type FairQueueOptions } from './fair-queue.ts';

const options: FairQueueOptions = {
  atOnce: 2,
  atOncePerHolder: 1,
  waitingPerHolder: 30,
  waiting: 50,
  unsentBytes: 1000,
};
const stays = new AbortController().signal;

test('holders take turns, and one with much work never has all of the places', async () => {
  const queue = new FairQueue(options);
  const order: string[] = [];
  const work = async (name: string): Promise<void> => {
    const turn = await queue.enter(name, stays);
    order.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    turn.sent();
  };
  const all = [
    ...Array.from({ length: 20 }, () => work('a')),
    ...['b', 'c', 'c', 'b'].map((name) => work(name)),
  ];
  assert.equal(queue.running, 2, 'one of a and one of b');
  await Promise.all(all);
  assert.ok(order.indexOf('b') <= 2 && order.indexOf('c') <= 5, order.join());
  assert.ok(order.lastIndexOf('c') < 10 && order.lastIndexOf('b') < 10, order.join());
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

test('what waits for nobody is never begun', async () => {
  const queue = new FairQueue(options);
  const first = await queue.enter('a', stays);
  const gone = new AbortController();
  const waiting = Array.from({ length: 20 }, () => queue.enter('a', gone.signal));
  const results = Promise.allSettled(waiting);
  assert.equal(queue.waiting, 20);
  gone.abort();
  assert.ok((await results).every(({ status }) => status === 'rejected'));
  assert.deepEqual(queue.counts, { started: 1, refused: 0, cancelled: 20 });
  const next = queue.enter('a', stays);
  first.sent();
  (await next).sent();
  await assert.rejects(queue.enter('a', gone.signal));
});

test('past its bounds it refuses: of one holder, and of all', async () => {
  const queue = new FairQueue({ ...options, waitingPerHolder: 2, waiting: 3 });
  const turns = await Promise.all(['a', 'b'].map((name) => queue.enter(name, stays)));
  const waiting = [queue.enter('a', stays), queue.enter('a', stays)];
  await assert.rejects(queue.enter('a', stays), QueueFullError);
  waiting.push(queue.enter('c', stays));
  await assert.rejects(queue.enter('d', stays), QueueFullError);
  for (const turn of turns) turn.sent();
  for (const turn of waiting) (await turn).sent();
  assert.equal(queue.counts.refused, 2);
});

test('answers that nobody reads hold up their own holder first', async () => {
  const queue = new FairQueue(options);
  const slow = await queue.enter('a', stays);
  slow.done(600);
  await assert.rejects(queue.enter('a', stays), QueueFullError);
  const other = await queue.enter('b', stays);
  other.done(500);
  await assert.rejects(queue.enter('c', stays), QueueFullError);
  slow.sent();
  (await queue.enter('a', stays)).sent();
});

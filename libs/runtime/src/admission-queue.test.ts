import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdmissionQueue, QueueFullError, type AdmissionQueueOptions } from './admission-queue.ts';

const options: AdmissionQueueOptions = {
  atOnce: 2,
  atOncePerPrincipal: 1,
  waitingPerPrincipal: 30,
  waiting: 50,
  unsentBytes: 1000,
};
const stays = new AbortController().signal;

test('principals take turns, and one with much work never takes all slots', async () => {
  const queue = new AdmissionQueue(options);
  const order: string[] = [];
  const work = async (name: string): Promise<void> => {
    const slot = await queue.enter(name, stays);
    order.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    slot.sent();
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
  const queue = new AdmissionQueue(options);
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

test('past its bounds it refuses: of one principal, and of all', async () => {
  const queue = new AdmissionQueue({ ...options, waitingPerPrincipal: 2, waiting: 3 });
  const slots = await Promise.all(['a', 'b'].map((name) => queue.enter(name, stays)));
  const waiting = [queue.enter('a', stays), queue.enter('a', stays)];
  await assert.rejects(queue.enter('a', stays), QueueFullError);
  waiting.push(queue.enter('c', stays));
  await assert.rejects(queue.enter('d', stays), QueueFullError);
  for (const slot of slots) slot.sent();
  for (const slot of waiting) (await slot).sent();
  assert.equal(queue.counts.refused, 2);
});

test('answers that nobody reads hold up their own principal first', async () => {
  const queue = new AdmissionQueue(options);
  const slow = await queue.enter('a', stays);
  slow.done(600);
  await assert.rejects(queue.enter('a', stays), QueueFullError);
  const other = await queue.enter('b', stays);
  other.done(500);
  await assert.rejects(queue.enter('c', stays), QueueFullError);
  slow.sent();
  (await queue.enter('a', stays)).sent();
});

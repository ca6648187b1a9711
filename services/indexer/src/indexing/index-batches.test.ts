import type { PlacedEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IndexBatches, type BulkTarget } from './index-batches.ts';

const event = (offset: number): PlacedEvent => ({ offset }) as PlacedEvent;

/** A target that keeps what it gets, after refusing as many times as `refusals` says. */
function target(refusals: { retriable: boolean }[] = []): BulkTarget & { bulks: number[][] } {
  const bulks: number[][] = [];
  return {
    name: 'memory',
    bulks,
    putEvents: async (events) => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw Object.assign(new Error('refused'), refusal);
      bulks.push(events.map((e) => e.offset));
    },
    putCorrelations: async () => {},
  };
}

test('the batches of one turn make one bulk; what arrives while it is written makes the next', async () => {
  const store = target();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const slow: BulkTarget = {
    ...store,
    putEvents: async (events) => released.then(() => store.putEvents(events)),
  };
  const batches = new IndexBatches({ targets: [slow], signal: new AbortController().signal });
  const first = [batches.add([event(1)], []), batches.add([event(2)], [])];
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const later = [batches.add([event(3)], []), batches.add([event(4)], [])];
  release();
  await Promise.all([...first, ...later]);
  assert.deepEqual(store.bulks, [
    [1, 2],
    [3, 4],
  ]);
});

test('a target that a bulk does not concern is not asked', async () => {
  const [all, even] = [target(), target()];
  const concerns: BulkTarget['concerns'] = (events) => events.some(({ offset }) => offset % 2 === 0);
  const targets = [all, { ...even, concerns }];
  const batches = new IndexBatches({ targets, signal: new AbortController().signal });
  for (const offset of [1, 2, 3]) await batches.add([event(offset)], []);
  assert.deepEqual([all.bulks, even.bulks], [[[1], [2], [3]], [[2]]]);
});

test('a bulk ends at its size, between batches', async () => {
  const store = target();
  const batches = new IndexBatches({ targets: [store], maxEvents: 3, signal: new AbortController().signal });
  await Promise.all([[1, 2], [3, 4], [5]].map((offsets) => batches.add(offsets.map(event), [])));
  assert.deepEqual(store.bulks, [[1, 2, 3, 4], [5]]);
});

test('a retriable refusal is tried again, at the refusing target only, and acknowledged after all have', async () => {
  const [steady, flaky] = [target(), target(Array.from({ length: 4 }, () => ({ retriable: true })))];
  const retried: string[] = [];
  const batches = new IndexBatches({
    targets: [steady, flaky],
    backoffMs: 1,
    onRetry: (name) => retried.push(name),
    signal: new AbortController().signal,
  });
  await batches.add([event(1)], []);
  assert.deepEqual([steady.bulks, flaky.bulks, retried.length], [[[1]], [[1]], 4]);
});

test('a target that fails gets half as much at a time, nothing twice, and all again once it is quick', async () => {
  const bulks: number[] = [];
  const stored: number[] = [];
  /** What a write of the target can have, and how long it takes. */
  let [room, tookMs, clockMs] = [300, 0, 0];
  const struggling: BulkTarget = {
    ...target(),
    putEvents: async (events) => {
      bulks.push(events.length);
      clockMs += tookMs;
      if (events.length > room) throw Object.assign(new Error('no answer in time'), { retriable: true });
      stored.push(...events.map(({ offset }) => offset));
    },
  };
  const batches = new IndexBatches({
    targets: [struggling],
    maxEvents: 1_000,
    backoffMs: 1,
    maxBackoffMs: 1,
    nowMs: () => clockMs,
    signal: new AbortController().signal,
  });
  let next = 0;
  const add = (count: number): Promise<unknown> =>
    batches.add(
      Array.from({ length: count }, () => event(next++)),
      [],
    );
  await add(1_000);
  // What fits grows again, and is halved again when it was too much.
  assert.deepEqual(bulks.splice(0), [1_000, 500, 250, 500, 250, 500, 250, 250]);
  // It takes its time: it is not asked for more.
  tookMs = 2_000;
  await add(1_000);
  assert.deepEqual(bulks.splice(0), [500, 250, 250, 250, 250]);
  [room, tookMs] = [Infinity, 10];
  await add(1_000);
  await add(1_000);
  assert.deepEqual(bulks.splice(0), [250, 500, 250, 1_000]);
  assert.deepEqual(
    stored,
    Array.from({ length: next }, (_, i) => i),
  );
});

test('another error rejects the batches of its bulk, and the next bulk continues', async () => {
  const store = target([{ retriable: false }]);
  const batches = new IndexBatches({ targets: [store], signal: new AbortController().signal });
  await assert.rejects(batches.add([event(1)], []), /refused/);
  await batches.add([event(2)], []);
  assert.deepEqual(store.bulks, [[2]]);
});

test('what a target refuses for good goes to the batch that it is of', async () => {
  const picky: BulkTarget = {
    ...target(),
    putEvents: async (events) =>
      events.filter(({ offset }) => offset % 2 === 0).map((item) => ({ item, reason: 'even' })),
  };
  const batches = new IndexBatches({ targets: [target(), picky], signal: new AbortController().signal });
  const refused = await Promise.all([
    batches.add([event(1), event(2)], []),
    batches.add([event(3)], []),
    batches.add([event(4)], []),
  ]);
  assert.deepEqual(refused, [[{ item: event(2), reason: 'even' }], [], [{ item: event(4), reason: 'even' }]]);
});

test('an abort ends the retries', async () => {
  const stop = new AbortController();
  const store = target(Array.from({ length: 1000 }, () => ({ retriable: true })));
  const batches = new IndexBatches({
    targets: [store],
    backoffMs: 60_000,
    onRetry: () => stop.abort(),
    signal: stop.signal,
  });
  await assert.rejects(batches.add([event(1)], []), /refused/);
  assert.deepEqual(store.bulks, []);
});

import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTimeOrder } from './in-time-order.ts';

interface Event {
  timestamp: number;
  file: number;
  n: number;
}

async function* give(events: readonly Event[]): AsyncGenerator<Event> {
  yield* events;
}

async function merged(files: readonly (readonly Event[])[], reach?: number): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of inTimeOrder(files.map(give), reach)) events.push(event);
  return events;
}

test('files are merged by time, and equal times keep their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(20), { maxLength: 12 }), { maxLength: 4 }), async (times) => {
      const files = times.map((of, file) => of.map((timestamp, n) => ({ timestamp, file, n })));
      const sorted = files.flat().sort((a, b) => a.timestamp - b.timestamp || a.file - b.file || a.n - b.n);
      assert.deepEqual(await merged(files), sorted);
    }),
  );
});

test('what stands too late by more than it reaches is given all the same', async () => {
  const times = [1, 2, 3, 4, 5, 6, 0];
  const events = times.map((timestamp, n) => ({ timestamp, file: 0, n }));
  const found = (await merged([events], 2)).map(({ timestamp }) => timestamp);
  assert.deepEqual(found.toSorted(), times.toSorted());
  assert.deepEqual(found.slice(0, 2), [1, 2]);
});

import type { FillMark, FillMove } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FillMarks, type FilledView } from './fill-marks.ts';

/** A view that keeps marks in memory; `failures` writes fail first, as those of a store that is away. */
function memoryView(name: string, failures = 0): FilledView & { marks: FillMark[]; writes: FillMove[][] } {
  const marks: FillMark[] = [];
  const writes: FillMove[][] = [];
  const store: FilledView['store'] = {
    counts: async () => ({ events: 0, correlations: 0 }),
    filled: async () => [...marks],
    markFilled: async (_, moves) => {
      writes.push([...moves]);
      if (writes.length <= failures) throw Object.assign(new Error('away'), { retriable: true });
      for (const { topic, partition, offset } of moves) marks.push({ topic, partition, offset });
      return true;
    },
  };
  return { name, store, marks, writes };
}

function fillMarks(views: readonly FilledView[], signal = new AbortController().signal): FillMarks {
  return new FillMarks({
    views,
    epoch: 'e',
    onLost: (lost) => assert.fail(JSON.stringify(lost)),
    onRetry: () => {},
    signal,
  });
}

const partitions = Array.from({ length: 24 }, (_, partition) => partition);

test('partitions of a new topic that are opened at once get their marks in one write a view', async () => {
  const views = [memoryView('search'), memoryView('archive')];
  const marks = fillMarks(views);
  const starts = await Promise.all(partitions.map((partition) => marks.open('logs.events', partition, 0)));
  assert.deepEqual(new Set(starts.map(({ offset }) => offset)), new Set([0]));
  for (const { name, marks, writes } of views) {
    assert.deepEqual([name, writes.length], [name, 1]);
    assert.deepEqual([name, marks.length], [name, partitions.length]);
  }
  await marks.open('logs.events', 3, 0);
  assert.equal(views[0]!.writes.length, 1, 'a partition that has marks needs none');
});

test('a new partition waits for a view that is away, but not after the signal', async () => {
  const away = memoryView('archive', 2);
  await fillMarks([memoryView('search'), away]).open('logs.events', 0, 0);
  assert.deepEqual(away.marks, [{ topic: 'logs.events', partition: 0, offset: 0 }]);

  const stop = new AbortController();
  const gone = memoryView('archive', Infinity);
  const opening = fillMarks([gone], stop.signal).open('logs.events', 0, 0);
  stop.abort();
  await opening;
  assert.deepEqual(gone.marks, []);
});

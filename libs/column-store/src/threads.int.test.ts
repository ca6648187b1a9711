import { placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ColumnStore } from './column-store.ts';

const batches = 40;
const perBatch = 1500;

test('threads read what another one writes, seals and merges, each event once at every look', async () => {
  using folder = temporaryFolder('column-store');
  const store = new ColumnStore(folder.path);
  store.use('search');
  const wanted = batches * perBatch;
  const worker = new URL('testing/reader.worker.ts', import.meta.url);
  const looks: number[][][] = [];
  const readers = (['search', 'archive', 'search'] as const).map((view) => {
    const seen: number[][] = [];
    looks.push(seen);
    const reader = new Worker(worker, { workerData: { folder: folder.path, view, wanted } });
    reader.on('message', (look: number[]) => seen.push(look));
    return once(reader, 'exit');
  });
  for (let n = 0; n < batches; n++)
    await store.putEvents(
      n % 2 === 0 ? 'search' : 'archive',
      Array.from({ length: perBatch }, (_, i) => {
        const offset = n * perBatch + i;
        return placedEvent(offset, { id: `e1-0-${offset}`, timestamp: offset * 1000 });
      }),
    );
  await store.settle();
  assert.deepEqual(
    (await Promise.all(readers)).map(([code]) => code as number),
    [0, 0, 0],
  );
  for (const seen of looks) {
    assert.deepEqual(seen.at(-1), [wanted, wanted, wanted]);
    for (const [n, [count, ids, messages]] of seen.entries()) {
      assert.ok(count === ids && count === messages, 'each once, and whole');
      assert.equal(count! % perBatch, 0, 'whole batches');
      assert.ok(n === 0 || count! >= seen[n - 1]![0]!, 'nothing goes away');
    }
  }
  await store.close();
});

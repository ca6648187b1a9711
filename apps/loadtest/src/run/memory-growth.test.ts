import assert from 'node:assert/strict';
import { test } from 'node:test';
import { second } from '../verdict/testing/sample-run.ts';
import { normal, seeded } from '../verdict/testing/random.ts';
import { heapReadings } from './heap-reading.ts';
import { MemoryGrowthWatch } from './memory-growth.ts';

const seconds = 180;
const rows = Array.from({ length: seconds }, (_, atS) => second(atS, 20, { connects: 400 }));

/** A heap that fills with garbage until it is collected each ten seconds, and keeps so much for each connection. */
function watched(keptBytes: number, seed: number, until = seconds): MemoryGrowthWatch {
  const random = normal(seeded(seed));
  const watch = new MemoryGrowthWatch();
  for (let atS = 0; atS < until; atS++) {
    const garbage = (atS % 10) * 1_800_000;
    const bytes = 22e6 + keptBytes * 400 * (atS + 1) + garbage + 300_000 * random();
    watch.add(atS, [{ thread: 'a', collections: Math.floor(atS / 10), bytes }]);
  }
  return watch;
}

test('a kilobyte that each connection leaves behind is in the interval, and none in that of a sound server', () => {
  let covered = 0;
  for (let seed = 0; seed < 200; seed++) {
    const leaking = watched(1_024, seed).result(rows)!;
    assert.ok(leaking.interval[0] > 256, JSON.stringify(leaking));
    const sound = watched(0, seed + 1_000).result(rows)!;
    assert.ok(sound.interval[1] < 256, JSON.stringify(sound));
    if (sound.interval[0] <= 0 && sound.interval[1] >= 0) covered++;
  }
  assert.ok(covered >= 180, `${covered}`);
});

test('the memory of connections that are open is not what they leave behind', () => {
  const watch = new MemoryGrowthWatch();
  for (let atS = 0; atS < seconds; atS++)
    watch.add(atS, [{ thread: 'a', collections: Math.floor(atS / 10), bytes: 22e6 + 20_000 * 400 * atS }]);
  const growing = rows.map((row, atS) => ({ ...row, viewers: 400 * atS }));
  assert.equal(watch.result(growing), null);
});

test('what fills in the first minute is no growth', () => {
  const random = normal(seeded(5));
  const watch = new MemoryGrowthWatch();
  for (let atS = 0; atS < seconds; atS++)
    watch.add(atS, [
      { thread: 'a', collections: atS, bytes: 22e6 + 300_000 * Math.min(atS, 55) + 100_000 * random() },
    ]);
  const { perConnectionBytes, interval } = watch.result(rows)!;
  assert.ok(Math.abs(perConnectionBytes) < 10 && interval[0] < 0 && interval[1] > 0, `${perConnectionBytes}`);
});

test('fewer than six collections, or no connections, show nothing', () => {
  assert.equal(watched(1_024, 1, 110).result(rows), null);
  assert.equal(watched(1_024, 1).result(rows.map((row) => ({ ...row, connects: 0 }))), null);
});

test('the heaps of threads that serve viewers are read, without the young generation', () => {
  const text = `
nodejs_gc_duration_seconds_count{kind="minor",service="logloom"} 50
nodejs_gc_duration_seconds_count{kind="major",service="logloom"} 3
nodejs_gc_duration_seconds_count{kind="major",service="indexer"} 7
nodejs_heap_space_size_used_bytes{space="old",service="logloom"} 1000
nodejs_heap_space_size_used_bytes{space="new",service="logloom"} 500
nodejs_heap_space_size_used_bytes{space="large_object",service="logloom"} 100
nodejs_heap_space_size_used_bytes{space="old",service="indexer"} 9999
logloom_thread_memory_bytes{kind="buffers",service="logloom"} 10
logloom_thread_memory_bytes{kind="heap_used",service="logloom"} 1600
logloom_live_viewers{transport="websocket",service="logloom"} 5
`;
  assert.deepEqual(heapReadings(text), [{ thread: 'service=logloom', collections: 3, bytes: 1110 }]);
  const collected = `${text}
logloom_thread_memory_after_collection_bytes{kind="heap",service="logloom"} 700
logloom_thread_memory_after_collection_bytes{kind="buffers",service="logloom"} 20
`;
  assert.deepEqual(heapReadings(collected), [{ thread: 'service=logloom', collections: 3, bytes: 720 }]);
});

import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Registry } from 'prom-client';
import { observeMemoryAfterCollection } from './memory-after-collection.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' | 'major' }) => void;

const name = 'logloom_thread_memory_after_collection_bytes';

test('what is held is told as of the last collection of the whole heap, without what is garbage', async () => {
  const registry = new Registry();
  const end = observeMemoryAfterCollection(registry);
  const read = async (kind: string): Promise<number | undefined> => {
    const metric = (await registry.getMetricsAsJSON()).find((each) => each.name === name);
    return metric?.values.find(({ labels }) => labels.kind === kind)?.value;
  };
  try {
    assert.equal(await read('heap'), undefined, 'nothing is known before a collection');
    collect();
    await eventually('a collection is seen', async () => (await read('heap')) !== undefined);
    const before = (await read('heap'))!;
    // 40 MB each: what other tests of this process let go meanwhile is less.
    const kept = Array.from({ length: 500 }, () => new Array<number>(10_000).fill(0.5));
    let garbage = Array.from({ length: 500 }, () => new Array<number>(10_000).fill(0.5));
    collect({ type: 'minor' });
    assert.equal(await read('heap'), before, 'a collection of the young generation changes nothing');
    garbage = [];
    collect();
    await eventually('what is kept is seen', async () => (await read('heap'))! > before + 25_000_000);
    assert.ok((await read('heap'))! < before + 60_000_000, `${before}, ${await read('heap')}`);
    assert.ok((await read('buffers'))! >= 0);
    assert.equal(kept.length + garbage.length, 500);
  } finally {
    end();
  }
});

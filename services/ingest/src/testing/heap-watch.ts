import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** More than one round needs: what stays beyond it is a leak. */
const maxGrowthBytes = 64 * 2 ** 20;

/** For tests that repeat a round: fails when the heap after a collection has grown since the first round. */
export class HeapWatch {
  readonly #collect: () => void;
  #first: number | undefined;

  constructor() {
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  /** Describes the memory after a round. */
  look(): string {
    this.#collect();
    const { heapUsed, rss } = process.memoryUsage();
    this.#first ??= heapUsed;
    const growth = heapUsed - this.#first;
    assert.ok(growth < maxGrowthBytes, `the heap has grown by ${growth >> 20} MiB`);
    return `heap ${heapUsed >> 20} MiB, resident ${rss >> 20} MiB`;
  }
}

import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Registry } from 'prom-client';
import { telemetryMetrics } from './own-metrics.ts';

/** Of the young generation: what is there was made since the collection, most of it garbage. */
const youngSpaces = /^new_/;

/**
 * Keeps what this thread held when its whole heap was last collected: between collections a heap holds garbage too, which hides a leak and
 * looks like one. Returns what ends it.
 */
export function observeMemoryAfterCollection(registry: Registry): () => void {
  let last: { heapBytes: number; buffersBytes: number } | undefined;
  const observer = new PerformanceObserver((list) => {
    const isWhole = list.getEntries().some((entry) => {
      const { detail } = entry as PerformanceEntry & { detail?: { kind?: number } };
      return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    });
    if (isWhole) last = heldNow();
  });
  observer.observe({ entryTypes: ['gc'] });
  telemetryMetrics.memoryAfterCollection.observe(registry, (set) => {
    if (last === undefined) return;
    set(last.heapBytes, { kind: 'heap' });
    set(last.buffersBytes, { kind: 'buffers' });
  });
  return () => observer.disconnect();
}

function heldNow(): { heapBytes: number; buffersBytes: number } {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => !youngSpaces.test(space_name));
  return {
    heapBytes: old.reduce((sum, { space_used_size }) => sum + space_used_size, 0),
    buffersBytes: process.memoryUsage().arrayBuffers,
  };
}

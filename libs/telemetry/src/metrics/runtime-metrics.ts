import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import { observeMemoryAfterCollection } from './memory-after-collection.ts';
import { telemetryMetrics } from './own-metrics.ts';

/** Gauges that end in `_total`, against the conventions; `nodejs_active_handles` and the like have the same by type. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
/** What the threads of a process share. */
const ofTheProcess = /^process_|^nodejs_active_|^nodejs_version_info$|^nodejs_external_memory/;

/** Adds the process' own metrics (memory, CPU, files) and those of this thread; once a process. */
export function addProcessMetrics({ registry }: { registry: Registry }): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  addEventLoop(registry);
  observeMemoryAfterCollection(registry);
}

/** Adds what a thread beside the main one has of its own: garbage collection, event loop, heap. */
export function addThreadMetrics({ registry }: { registry: Registry }): void {
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray())
    if (ofTheProcess.test(name)) registry.removeSingleMetric(name);
  addEventLoop(registry);
  observeMemoryAfterCollection(registry);
}

/** This thread's share of the process' memory, and what version runs. */
export function addOwnMetrics(registry: Registry): void {
  telemetryMetrics.buildInfo.observe(registry, (set) => set(1, { version, node: process.version }));
  const startedAtSeconds = Date.now() / 1000;
  telemetryMetrics.startTime.observe(registry, (set) => set(startedAtSeconds));
  telemetryMetrics.threadMemory.observe(registry, (set) => {
    const { heapUsed, heapTotal, arrayBuffers } = process.memoryUsage();
    set(heapUsed, { kind: 'heap_used' });
    set(heapTotal, { kind: 'heap_total' });
    set(arrayBuffers, { kind: 'buffers' });
  });
}

function addEventLoop(registry: Registry): void {
  telemetryMetrics.eventLoopActive.observe(registry, (set) =>
    set(performance.eventLoopUtilization().active / 1000),
  );
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

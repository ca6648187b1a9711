import { pino, type Logger } from 'pino';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** A service's own log and metrics. */
export interface Telemetry {
  logger: Logger;
  registry: Registry;
}

/** JSON lines on standard error; metrics in a registry of this thread, labelled with the service. */
export function createTelemetry(service: string, level: string): Telemetry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  addThreadMemory(registry);
  return {
    logger: pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2)),
    registry,
  };
}

/** This thread's share of the process' memory; each thread has a heap of its own. */
function addThreadMemory(registry: Registry): void {
  new Gauge({
    name: 'logloom_thread_memory_bytes',
    help: "The thread's JavaScript heap in use, its size, and buffers outside of it.",
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      const { heapUsed, heapTotal, arrayBuffers } = process.memoryUsage();
      this.set({ kind: 'heap_used' }, heapUsed);
      this.set({ kind: 'heap_total' }, heapTotal);
      this.set({ kind: 'buffers' }, arrayBuffers);
    },
  });
}

/** Adds the process' own metrics (memory, CPU, event loop); once a process. */
export function addProcessMetrics({ registry }: Telemetry): void {
  collectDefaultMetrics({ register: registry });
}

import { pino, type Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** A service's own log and metrics. */
export interface Telemetry {
  logger: Logger;
  registry: Registry;
}

/** JSON lines on standard error; metrics in a registry of this thread, labelled with the service. */
export function createTelemetry(service: string, level: string): Telemetry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  return {
    logger: pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2)),
    registry,
  };
}

/** Adds the process' own metrics (memory, CPU, event loop); once a process. */
export function addProcessMetrics({ registry }: Telemetry): void {
  collectDefaultMetrics({ register: registry });
}

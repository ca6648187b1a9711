import { pino, type Logger, type LoggerOptions } from 'pino';
import { Registry } from 'prom-client';
import { logDestination } from './log-destination.ts';
import { addOwnMetrics } from './metrics/runtime-metrics.ts';
import { noTracing, type Tracing } from './tracing.ts';

/** A service's own log, metrics and spans. */
export interface Telemetry {
  logger: Logger;
  registry: Registry;
  /** Off until startTracing(). */
  tracing: Tracing;
}

/**
 * JSON lines on standard error, with `trace_id` and `span_id` inside of a span; metrics in a registry of this thread, labelled with the
 * service; no spans yet. The `secrets` (see secretsOf() of the settings) never appear in the log.
 */
export function createTelemetry(service: string, level: string, secrets: readonly string[] = []): Telemetry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  addOwnMetrics(registry);
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => telemetry.tracing.logFields(),
  };
  const logger = pino(options, logDestination(pino.destination(2), secrets));
  const telemetry: Telemetry = { logger, registry, tracing: noTracing };
  return telemetry;
}

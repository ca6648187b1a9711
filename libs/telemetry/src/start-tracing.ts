import type { Telemetry } from './telemetry.ts';
import type { TracingRequest } from './tracing-settings.ts';

export interface TracingOptions {
  service: string;
  /** Several services share the settings, each on a thread: OTEL_SERVICE_NAME is then only the prefix of their names. */
  isOneOfMany: boolean;
  /** The log runs on Kafka (`messaging.system`). */
  kafka: boolean;
}

/**
 * Turns on the tracing of a service if the settings enable it; only then is the OpenTelemetry SDK loaded. Call it once, before the service
 * takes `telemetry.tracing`, and `telemetry.tracing.stop()` after it has drained.
 */
export async function startTracing(
  telemetry: Telemetry,
  { settings, warnings }: TracingRequest,
  { service, isOneOfMany, kafka }: TracingOptions,
): Promise<void> {
  for (const warning of warnings) telemetry.logger.warn(warning);
  if (settings === undefined) return;
  const { OtelTracing } = await import('./otel-tracing.ts');
  const { createProvider } = await import('./otel-provider.ts');
  const { serviceName } = settings;
  const name =
    isOneOfMany || serviceName === undefined ? `${serviceName ?? 'logloom'}-${service}` : serviceName;
  const provider = await createProvider(settings, name, telemetry.logger);
  telemetry.tracing = new OtelTracing(provider, kafka ? 'kafka' : 'logloom');
}

import { hideSecrets, loadEnvironment, secretsOf, SettingsError } from '@logloom/settings';
import { EngineAccessError } from '@logloom/settings/connection';
import type { ServiceSettings } from './settings.ts';
import {
  addProcessMetrics,
  registerCertificateExpiry,
  createTelemetry,
  readTracingSettings,
  startTracing,
  type Telemetry,
} from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { endAnyway, endSoon } from './end-anyway.ts';
import { createHealthServer } from './health-server.ts';
import { createFilesPrivate } from './private-files.ts';
import { serveMetrics } from './metrics-server.ts';
import type { HealthCheck } from './register-health.ts';
import type { RunService, ServiceContext } from './service-context.ts';

export interface Standalone<Settings extends ServiceSettings> {
  /** The settings of the service and of what it uses. */
  settings: { load: (env: NodeJS.ProcessEnv) => Settings };
  service: string;
  /** The port for health and metrics, unless HEALTH_PORT is set. */
  healthPort: number;
  run: RunService<Settings>;
  env: NodeJS.ProcessEnv;
  /** The metrics as Prometheus text; default: those of this thread. */
  metrics?: (telemetry: Telemetry) => Promise<string>;
  /** Adds more to the server on `healthPort`. */
  register?: (app: FastifyInstance, context: Omit<ServiceContext<Settings>, 'onReady'>) => Promise<void>;
}

/**
 * Runs one service as a process of its own: settings from `env`, health and metrics on `healthPort`, drained on SIGTERM
 * and SIGINT. Sets the exit code: 0 drained, 1 failed, 2 wrong settings, also those that
 * an engine refuses.
 */
export async function runStandalone<Settings extends ServiceSettings>({
  settings: declared,
  service,
  healthPort,
  run,
  env,
  metrics,
  register,
}: Standalone<Settings>): Promise<void> {
  createFilesPrivate();
  let secrets: string[] = [];
  try {
    const settings = declared.load(env);
    secrets = secretsOf(settings);
    if (settings.KAFKA_BROKERS === undefined) {
      throw new SettingsError([
        `KAFKA_BROKERS: a service on its own meets the others in Kafka; 'npm start' runs all in one process`,
      ]);
    }
    const telemetry = createTelemetry(service, settings.LOG_LEVEL, secrets);
    addProcessMetrics(telemetry);
    registerCertificateExpiry(telemetry, settings);
    const tracing = readTracingSettings(loadEnvironment(env));
    await startTracing(telemetry, tracing, {
      service,
      isOneOfMany: false,
      kafka: true,
    });
    await using cleanUp = new AsyncDisposableStack();
    cleanUp.defer(() => telemetry.tracing.stop());
    const stop = new AbortController();
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
    const checks = new Set<HealthCheck>();
    const context = {
      settings,
      telemetry,
      tracingSettings: tracing.settings,
      env: loadEnvironment(env),
      signal: stop.signal,
      checks,
    };
    const health = { ready: false, checks };
    stop.signal.addEventListener('abort', () => {
      health.ready = false;
      endAnyway(service, settings.LIVE_DRAIN_MS);
    });
    const text = () => metrics?.(telemetry) ?? telemetry.registry.metrics();
    await using server = createHealthServer({
      settings,
      telemetry,
      health,
      metrics: text,
    });
    await register?.(server, context);
    await server.listen({ host: settings.HOST, port: settings.HEALTH_PORT ?? healthPort });
    cleanUp.use(await serveMetrics(text, { settings, telemetry }));
    await run({
      ...context,
      onReady: () => (health.ready = !stop.signal.aborted),
      onNotReady: () => (health.ready = false),
    }).catch((error: unknown) => {
      // Unfinished work is repeated at the next start, as after a kill.
      if (!stop.signal.aborted || !isUnavailable(error)) throw error;
      telemetry.logger.warn({ err: error }, 'an engine was unreachable at the end');
    });
  } catch (error) {
    const isSettings = error instanceof SettingsError || error instanceof EngineAccessError;
    const said = String(isSettings ? error.message : (error as Error).stack);
    process.stderr.write(`logloom ${service}: ${hideSecrets(said, secrets)}\n`);
    process.exitCode = isSettings ? 2 : 1;
  }
  endSoon();
}

/** Whether the error itself is marked as retriable. */
function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'retriable' in error && error.retriable === true;
}

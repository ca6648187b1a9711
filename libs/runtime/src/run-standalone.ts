import { loadSettings, SettingsError } from '@logloom/settings';
import { addProcessMetrics, createTelemetry } from '@logloom/telemetry';
import { startHealthServer } from './health-server.ts';
import type { RunService } from './service-context.ts';

/**
 * Runs one service as a process of its own: settings from `env`, health and metrics on `healthPort`, drained on SIGTERM
 * and SIGINT. Exit codes: 0 drained, 1 failed, 2 wrong settings.
 */
export async function runStandalone(
  service: string,
  healthPort: number,
  run: RunService,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  try {
    const settings = loadSettings(env);
    if (settings.KAFKA_BROKERS === undefined) {
      throw new SettingsError([
        `KAFKA_BROKERS=: a service on its own meets the others in Kafka; 'npm start' runs all in one process`,
      ]);
    }
    const telemetry = createTelemetry(service, settings.LOG_LEVEL);
    addProcessMetrics(telemetry);
    const stop = new AbortController();
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
    const health = { ready: false };
    const server = await startHealthServer(settings.HOST, healthPort, health, telemetry);
    stop.signal.addEventListener('abort', () => (health.ready = false));
    await run({ settings, telemetry, signal: stop.signal, onReady: () => (health.ready = true) });
    await server.close();
  } catch (error) {
    process.stderr.write(
      `logloom ${service}: ${error instanceof SettingsError ? error.message : (error as Error).stack}\n`,
    );
    process.exitCode = error instanceof SettingsError ? 2 : 1;
  }
}

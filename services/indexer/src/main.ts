import { registerHealth } from '@logloom/runtime';
import { loadSettings, SettingsError } from '@logloom/settings';
import { addProcessMetrics, createTelemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import { connectApi } from './connect-api.ts';
import { runIndexer } from './run-indexer.ts';

const port = 9103;

// Like runStandalone, with the search API on the server that tells the health. Exit codes: 0 drained, 1 failed, 2 wrong settings.
try {
  const settings = loadSettings(process.env);
  if (settings.KAFKA_BROKERS === undefined) {
    throw new SettingsError([
      `KAFKA_BROKERS=: a service on its own meets the others in Kafka; 'npm start' runs all in one process`,
    ]);
  }
  const telemetry = createTelemetry('indexer', settings.LOG_LEVEL);
  addProcessMetrics(telemetry);
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  const health = { ready: false };
  stop.signal.addEventListener('abort', () => (health.ready = false));
  await using server = fastify({ logger: false });
  registerHealth(server, health, () => telemetry.registry.metrics());
  await connectApi(server, settings, (error) => telemetry.logger.error({ err: error }, 'the API failed'));
  await server.listen({ host: settings.HOST, port });
  await runIndexer({ settings, telemetry, signal: stop.signal, onReady: () => (health.ready = true) });
} catch (error) {
  const isSettings = error instanceof SettingsError;
  process.stderr.write(`logloom indexer: ${isSettings ? error.message : (error as Error).stack}\n`);
  process.exitCode = isSettings ? 2 : 1;
}

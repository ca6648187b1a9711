import { connectLog, registerHealth, type RunService } from '@logloom/runtime';
import fastify from 'fastify';
import { createLiveTier } from './live-tier.ts';

/** Serves live viewers on LIVE_PORT, with health and metrics beside, until the signal aborts and every viewer has left. */
export const runFanout: RunService = async ({ settings, telemetry, signal, onReady }) => {
  await using connection = await connectLog(settings, {}, telemetry);
  const app = fastify({ logger: false });
  const health = { ready: false };
  registerHealth(app, health, () => telemetry.registry.metrics());
  const tier = createLiveTier({ ...connection, settings, telemetry });
  tier.attach(app);
  signal.addEventListener('abort', () => (health.ready = false));
  try {
    await app.listen({ host: settings.HOST, port: settings.LIVE_PORT });
    await tier.run(signal, () => {
      health.ready = true;
      onReady();
    });
  } finally {
    await app.close();
  }
};

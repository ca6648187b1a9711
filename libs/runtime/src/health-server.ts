import type { Telemetry } from '@logloom/telemetry';
import fastify, { type FastifyInstance } from 'fastify';

export interface Health {
  /** Whether the service takes work. */
  ready: boolean;
}

/** Adds GET /health/live, /health/ready (503 until ready) and /metrics (Prometheus text). */
export function registerHealth(app: FastifyInstance, health: Health, metrics: () => Promise<string>): void {
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_, reply) =>
    health.ready ? { status: 'ready' } : reply.code(503).send({ status: 'starting' }),
  );
  app.get('/metrics', async (_, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics()),
  );
}

/** The server with which a service that runs on its own tells its health. */
export async function startHealthServer(
  host: string,
  port: number,
  health: Health,
  telemetry: Telemetry,
): Promise<FastifyInstance> {
  const app = fastify({ logger: false });
  registerHealth(app, health, () => telemetry.registry.metrics());
  await app.listen({ host, port });
  return app;
}

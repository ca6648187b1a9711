import type { FastifyInstance } from 'fastify';

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

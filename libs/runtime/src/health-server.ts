import type { ServiceSettings } from './settings.ts';
import type { Telemetry } from '@logloom/telemetry';
import fastify, { type FastifyInstance } from 'fastify';
import { respondWithErrors } from './error-responses.ts';
import { guardRequests, type GuardContext } from './guard-requests.ts';
import { registerMetrics, type MetricsAccess } from './metrics-server.ts';
import { registerHealth, type Health } from './register-health.ts';
import { serverOptions } from './server-options.ts';

export interface HealthServerOptions {
  settings: GuardContext['settings'] & MetricsAccess['settings'] & Pick<ServiceSettings, 'LIVE_REQUEST_MS'>;
  telemetry: Pick<Telemetry, 'logger' | 'registry'>;
  health: Health;
  /** Prometheus text. */
  metrics: () => Promise<string>;
}

/** The server for health and metrics of a service that runs on its own. It does not listen yet. */
export function createHealthServer({
  settings,
  telemetry,
  health,
  metrics,
}: HealthServerOptions): FastifyInstance {
  const server = fastify(serverOptions(settings.LIVE_REQUEST_MS));
  respondWithErrors(server, (err) => telemetry.logger.error({ err }, 'a request failed'));
  guardRequests(server, { settings, telemetry, port: 'health' });
  registerHealth(server, health, telemetry.registry);
  registerMetrics(server, metrics, { settings, telemetry });
  return server;
}

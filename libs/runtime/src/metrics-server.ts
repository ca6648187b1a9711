import { authErrors, clientAddress, isLoopback } from '@logloom/auth';
import { CodedError } from '@logloom/errors';
import { SecurityLog, type Telemetry } from '@logloom/telemetry';
import fastify, { type FastifyInstance } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { respondWithErrors, sendError } from './error-responses.ts';
import { guardRequests } from './guard-requests.ts';
import { noParameters } from './known-parameters.ts';
import { serverOptions } from './server-options.ts';
import type { ServiceSettings } from './settings.ts';

export interface MetricsAccess {
  settings: Pick<ServiceSettings, 'METRICS_PORT' | 'METRICS_TOKEN' | 'LIVE_TRUSTED_PROXIES'>;
  telemetry: Pick<Telemetry, 'logger' | 'registry'>;
}

/** Adds GET /metrics, unless it has a port of its own. `text` returns Prometheus' text format. */
export function registerMetrics(
  app: FastifyInstance,
  text: () => Promise<string>,
  access: MetricsAccess,
): void {
  if (access.settings.METRICS_PORT === undefined) addRoute(app, text, access);
}

/**
 * Opens the server for metrics alone where METRICS_PORT says so. Resolves when it listens, with what closes it; rejects when the port
 * is taken.
 */
export async function serveMetrics(
  text: () => Promise<string>,
  access: MetricsAccess & {
    settings: Pick<
      ServiceSettings,
      'HOST' | 'PUBLISHED_ON' | 'ALLOWED_HOSTS' | 'LIVE_ALLOWED_ORIGINS' | 'LIVE_REQUEST_MS'
    >;
  },
): Promise<AsyncDisposable> {
  const { settings, telemetry } = access;
  const { HOST, PUBLISHED_ON = HOST, METRICS_PORT, METRICS_TOKEN } = settings;
  if (METRICS_PORT === undefined) {
    if (METRICS_TOKEN === undefined && !isLoopback(PUBLISHED_ON))
      telemetry.logger.warn(
        'everybody who reaches this server can read its metrics: set METRICS_TOKEN to ask for a token, or METRICS_PORT to serve them on a port of their own',
      );
    return new AsyncDisposableStack();
  }
  const app = fastify(serverOptions(settings.LIVE_REQUEST_MS));
  respondWithErrors(app, (err) => telemetry.logger.error({ err }, 'a request failed'));
  guardRequests(app, { settings, telemetry, port: 'metrics' });
  addRoute(app, text, access);
  await app.listen({ host: HOST, port: METRICS_PORT });
  return { [Symbol.asyncDispose]: () => app.close() };
}

function addRoute(
  app: FastifyInstance,
  text: () => Promise<string>,
  { settings, telemetry }: MetricsAccess,
): void {
  const security = new SecurityLog(telemetry);
  const addressOf = clientAddress(settings.LIVE_TRUSTED_PROXIES);
  const known = settings.METRICS_TOKEN === undefined ? undefined : digest(settings.METRICS_TOKEN);
  app.get('/metrics', { preHandler: noParameters() }, async ({ raw, headers }, reply) => {
    const given = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    if (known !== undefined && !timingSafeEqual(digest(given), known)) {
      security.refused('metrics', 'unauthorized', { address: addressOf(raw) });
      reply.header('www-authenticate', 'Bearer');
      return sendError(reply, new CodedError(authErrors, 'unauthorized'));
    }
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await text());
  });
}

/** Of equal length, so that the comparison tells nothing. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

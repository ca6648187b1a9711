import { clientAddress, guardErrors, RequestGuard } from '@logloom/auth';
import { CodedError } from '@logloom/errors';
import type { ServiceSettings } from './settings.ts';
import { SecurityLog, type Telemetry } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { sendError } from './error-responses.ts';

export interface GuardContext {
  settings: Pick<ServiceSettings, 'HOST' | 'ALLOWED_HOSTS' | 'LIVE_ALLOWED_ORIGINS' | 'LIVE_TRUSTED_PROXIES'>;
  telemetry: Pick<Telemetry, 'logger' | 'registry'>;
  /** What the port is for, as the security log names it: `viewers`, `live`, `health`. */
  port: string;
}

/**
 * Refuses requests that pages of other origins, or pages under host names that are not this server's, make a browser send, on every path
 * (RequestGuard). Sets the headers that say what a browser may do with a response. For servers that viewers and operators use.
 */
export function guardRequests(app: FastifyInstance, { settings, telemetry, port }: GuardContext): void {
  const guard = RequestGuard.of(settings, { forViewers: true });
  const addressOf = clientAddress(settings.LIVE_TRUSTED_PROXIES);
  const security = new SecurityLog(telemetry);
  app.addHook('onRequest', async (request, reply) => {
    const code = guard.refusal(request.raw);
    if (code === undefined) return;
    const { host, origin } = request.headers;
    security.refused(port, code, { address: addressOf(request.raw), host, origin });
    // The rest of the body is discarded, so that the client can read the response.
    request.raw.resume();
    return sendError(reply, new CodedError(guardErrors, code));
  });
  protectResponses(app);
}

/**
 * Keeps other origins' pages from embedding responses, browsers from guessing their type, and caches from storing them. A response that
 * sets its own `cache-control` keeps it.
 */
export function protectResponses(app: FastifyInstance): void {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cross-origin-resource-policy', 'same-origin');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
}

import { clientAddress, guardErrors, RequestGuard } from '@logloom/auth';
import { CodedError } from '@logloom/errors';
import type { ServiceSettings } from './settings.ts';
import { SecurityLog, type Telemetry } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { sendError } from './error-responses.ts';

export interface GuardContext {
  settings: Pick<ServiceSettings, 'HOST' | 'ALLOWED_HOSTS' | 'LIVE_ALLOWED_ORIGINS' | 'LIVE_TRUSTED_PROXIES'>;
  telemetry: Pick<Telemetry, 'logger' | 'registry'>;
  /** The server's purpose, for the security log. */
  door: string;
}

/**
 * Refuses what pages of other origins, or under names that are not this server's, have a browser send, whatever the path
 * (RequestGuard); and has every answer say what a browser may do with it. For servers that viewers and operators use.
 */
export function guardRequests(app: FastifyInstance, { settings, telemetry, door }: GuardContext): void {
  const guard = RequestGuard.of(settings, { forViewers: true });
  const addressOf = clientAddress(settings.LIVE_TRUSTED_PROXIES);
  const security = new SecurityLog(telemetry);
  app.addHook('onRequest', async (request, reply) => {
    const code = guard.refusal(request.raw);
    if (code === undefined) return;
    const { host, origin } = request.headers;
    security.refused(door, code, { address: addressOf(request.raw), host, origin });
    // What is still to come is thrown away, so that the client gets to read the answer.
    request.raw.resume();
    return sendError(reply, new CodedError(guardErrors, code));
  });
  protectAnswers(app);
}

/**
 * Keeps other origins' pages from embedding answers, browsers from guessing what they are, and caches from keeping them, unless the
 * answer says that they may.
 */
export function protectAnswers(app: FastifyInstance): void {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cross-origin-resource-policy', 'same-origin');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
}

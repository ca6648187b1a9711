import { authErrors, clientAddress, type Authenticate } from '@logloom/auth';
import { CodedError, requestErrors } from '@logloom/errors';
import { knownParameters, sendError } from '@logloom/runtime';
import { SecurityLog, type Actor, type Telemetry } from '@logloom/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { clientHeader } from '../workers/forward-requests.ts';
import type { Settings } from '../settings.ts';
import { formatViewerId, parseViewerId, type ViewerDirectory } from './viewer-directory.ts';

export interface ViewersApiDeps {
  /** Undefined until the viewers' processes are there. */
  directory: () => ViewerDirectory | undefined;
  authenticate: Authenticate;
  settings: Pick<Settings, 'LIVE_TRUSTED_PROXIES'>;
  telemetry: Pick<Telemetry, 'logger' | 'registry'>;
}

const defaultLimit = 50;
const maxLimit = 1_000;

/**
 * Adds GET /api/viewers?limit=&cursor=, the connected viewers of this node, and DELETE /api/viewers/{id}, which sends one away. Both are for
 * whoever may see everything: a token with an imposed filter gets 403.
 */
export function registerViewersApi(app: FastifyInstance, deps: ViewersApiDeps): void {
  const security = new SecurityLog(deps.telemetry);
  const addressOf = forwardedAddress(deps.settings);
  const actors = new WeakMap<FastifyRequest, Actor>();

  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | void> => {
    const address = addressOf(request.raw);
    const access = await deps.authenticate(request.raw);
    const error = access.ok
      ? access.principal.filter === undefined
        ? undefined
        : {
            code: 'forbidden' as const,
            message: 'a token that imposes a filter may search, and nothing else',
          }
      : access.error;
    if (error !== undefined) {
      const { code, message } = error;
      security.refused('api', code, { address, detail: message });
      if (authErrors[code].status === 401) reply.header('www-authenticate', 'Bearer');
      if (authErrors[code].retriable) reply.header('retry-after', '5');
      return sendError(reply, new CodedError(authErrors, code, message));
    }
    actors.set(request, { subject: access.ok ? access.principal.name : undefined, address });
  };

  const listOptions = { onRequest, preHandler: knownParameters('limit', 'cursor') };
  app.get('/api/viewers', listOptions, async (request) => {
    const { limit, cursor } = request.query as Record<string, unknown>;
    const after = cursor === undefined ? undefined : parseViewerId(String(cursor));
    if (cursor !== undefined && after === undefined) throw new CodedError(requestErrors, 'bad-cursor');
    const { total, viewers, hasMore } = await found().list({ limit: readLimit(limit), after });
    const last = viewers.at(-1);
    return { total, viewers, ...(hasMore && last !== undefined ? { next: last.id } : {}) };
  });

  const endOptions = { onRequest, preHandler: knownParameters() };
  app.delete<{ Params: { id: string } }>('/api/viewers/:id', endOptions, async (request, reply) => {
    const id = parseViewerId(request.params.id);
    if (id === undefined || !(await found().end(id)))
      throw new CodedError(requestErrors, 'not-found', `no viewer ${request.params.id} is connected`);
    security.ordered(`end of viewer ${formatViewerId(id)}`, actors.get(request) ?? {});
    return reply.code(204).send();
  });

  function found(): ViewerDirectory {
    const directory = deps.directory();
    if (directory === undefined) throw new CodedError(requestErrors, 'starting');
    return directory;
  }
}

function readLimit(given: unknown): number {
  if (given === undefined) return defaultLimit;
  if (typeof given === 'string' && /^\d{1,4}$/.test(given) && Number(given) <= maxLimit) return Number(given);
  const details = { parameter: 'limit' };
  throw new CodedError(requestErrors, 'bad-parameter', `limit is a number from 0 to ${maxLimit}`, {
    details,
  });
}

/** The client's address, also where a worker has passed its request on over a local socket, which has none. */
function forwardedAddress({
  LIVE_TRUSTED_PROXIES,
}: ViewersApiDeps['settings']): (request: IncomingMessage) => string | undefined {
  const addressOf = clientAddress(LIVE_TRUSTED_PROXIES);
  return (request) => {
    const forwarded = request.headers[clientHeader];
    if (request.socket.remoteAddress !== undefined || typeof forwarded !== 'string')
      return addressOf(request);
    return forwarded === '' ? undefined : forwarded;
  };
}

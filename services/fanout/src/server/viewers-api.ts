import { CodedError, requestErrors } from '@logloom/errors';
import { knownParameters } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import type { OperatorAccess } from './operator-access.ts';
import { formatViewerId, parseViewerId, type ViewerDirectory } from './viewer-directory.ts';

const defaultLimit = 50;
const maxLimit = 1_000;

/**
 * Adds GET /api/viewers?limit=&cursor=, the connected viewers of this node, and DELETE /api/viewers/{id}, which sends one away. Both are for
 * whoever may see everything: a token with an imposed filter gets 403.
 */
export function registerViewersApi(
  app: FastifyInstance,
  access: OperatorAccess,
  directory: () => ViewerDirectory,
): void {
  const { onRequest } = access;

  const listOptions = { onRequest, preHandler: knownParameters('limit', 'cursor') };
  app.get('/api/viewers', listOptions, async (request) => {
    const { limit, cursor } = request.query as Record<string, unknown>;
    const after = typeof cursor === 'string' ? parseViewerId(cursor) : undefined;
    if (cursor !== undefined && after === undefined) throw new CodedError(requestErrors, 'bad-cursor');
    const { total, viewers, hasMore } = await directory().list({ limit: readLimit(limit), after });
    const last = viewers.at(-1);
    return { total, viewers, ...(hasMore && last !== undefined ? { next: last.id } : {}) };
  });

  const endOptions = { onRequest, preHandler: knownParameters() };
  app.delete<{ Params: { id: string } }>('/api/viewers/:id', endOptions, async (request, reply) => {
    const id = parseViewerId(request.params.id);
    if (id === undefined || !(await directory().end(id)))
      throw new CodedError(requestErrors, 'not-found', `no viewer ${request.params.id} is connected`);
    access.ordered(`end of viewer ${formatViewerId(id)}`, request);
    return reply.code(204).send();
  });
}

function readLimit(given: unknown): number {
  if (given === undefined) return defaultLimit;
  if (typeof given === 'string' && /^\d{1,4}$/.test(given) && Number(given) <= maxLimit) return Number(given);
  const details = { parameter: 'limit' };
  throw new CodedError(requestErrors, 'bad-parameter', `limit is a number from 0 to ${maxLimit}`, {
    details,
  });
}

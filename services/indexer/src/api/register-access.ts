import { authErrors, type Authenticate, type AuthErrorCode, type Principal } from '@logloom/auth';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';

const principals = new WeakMap<FastifyRequest, Principal>();

/**
 * What a principal with an imposed filter may ask: responses that are cut to it. Everything else is refused, also what is added to the API
 * later: jobs, saved filters and the counts of the whole belong to who may see the whole.
 */
const cutRoutes = new Set(
  ['/search', '/histogram', '/fields', '/correlations', '/correlations/:id', '/events/:id'].map(
    (path) => `/api${path}`,
  ),
);

/** Asks every request under `api` for a token, before its body is read. `onRefused` is told of each that is not let in. */
export function registerAccess(
  api: FastifyInstance,
  authenticate: Authenticate,
  onRefused: (request: FastifyRequest, code: AuthErrorCode, message: string) => void = () => {},
): void {
  api.addHook('onRequest', async (request, reply) => {
    const access = await authenticate(request.raw);
    if (!access.ok) {
      const { code, message } = access.error;
      onRefused(request, code, message);
      if (authErrors[code].status === 401) reply.header('www-authenticate', 'Bearer');
      if (authErrors[code].retriable) reply.header('retry-after', '5');
      throw new ApiError(code, message);
    }
    const isCut = request.method === 'GET' && cutRoutes.has(request.routeOptions.url ?? '');
    if (access.principal.filter !== undefined && !isCut) {
      const message = 'a token that imposes a filter may search, and nothing else';
      onRefused(request, 'forbidden', message);
      throw new ApiError('forbidden', message);
    }
    principals.set(request, access.principal);
  });
}

/** Who sent a request that was let in. */
export function principalOf(request: FastifyRequest): Principal {
  return principals.get(request) ?? {};
}

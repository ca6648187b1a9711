import { authErrors, type Authenticate, type AuthErrorCode, type Principal } from '@logloom/auth';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';

const principals = new WeakMap<FastifyRequest, Principal>();

/**
 * The routes that a principal with an imposed filter may use: their responses are restricted to it. All others are refused, including
 * routes that are added later: jobs, saved filters and total counts are for principals who may see everything.
 */
const cutRoutes = new Set(
  [
    ...['/search', '/histogram', '/aggregate', '/export', '/fields', '/events/:id'],
    ...['/correlations', '/correlations/:id', '/requests/summary'],
  ].map((path) => `/api${path}`),
);

/** Requires a token of every request under `api`, before its body is read. `onRefused` is called for each refused request. */
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
    const { filter, isCanary } = access.principal;
    if ((filter !== undefined || isCanary === true) && !isCut) {
      const message = 'a token that imposes a filter may only search';
      onRefused(request, 'forbidden', message);
      throw new ApiError('forbidden', message);
    }
    principals.set(request, access.principal);
  });
}

/** The principal of an accepted request. */
export function principalOf(request: FastifyRequest): Principal {
  return principals.get(request) ?? {};
}

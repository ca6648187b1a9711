import { unknownViewerParameter } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors.ts';

/** The parameters of a search. */
const search = ['q', 'from', 'to', 'limit', 'cursor'];

/** The parameters of each route; a route that is not listed takes none. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  '/api/search': [...search, 'order', 'highlight'],
  '/api/histogram': ['q', 'from', 'to', 'interval', 'by'],
  '/api/fields': ['q', 'from', 'to', 'limit', 'field'],
  '/api/correlations': [...search, 'comparison'],
  '/api/requests/summary': ['q', 'from', 'to', 'by', 'limit'],
  '/api/correlations/:id': ['limit', 'cursor'],
  '/api/alerts': ['limit'],
  '/api/jobs': ['name', 'limit'],
  '/api/dead-letters': ['reason', 'limit', 'cursor'],
};

/** Refuses requests under `api` with unknown parameters: a mistyped one would silently change the query. */
export function registerKnownParameters(api: FastifyInstance): void {
  api.addHook('preHandler', async (request) => {
    const known = parameters[request.routeOptions.url ?? ''] ?? [];
    const unknown = unknownViewerParameter(Object.keys(request.query as object), known);
    if (unknown !== undefined) throw new ApiError('bad-parameter', undefined, unknown);
  });
}

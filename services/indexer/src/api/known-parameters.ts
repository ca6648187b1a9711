import { unknownViewerParameter } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors.ts';

/** The parameters of a search. */
const search = ['q', 'from', 'to', 'limit', 'cursor'];

/** The parameters of each route that is read; one that is not listed takes none. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  '/api/search': [...search, 'order', 'highlight'],
  '/api/histogram': ['q', 'from', 'to', 'interval', 'by'],
  '/api/aggregate': ['q', 'from', 'to', 'by', 'metric', 'of', 'interval', 'limit'],
  '/api/export': ['q', 'from', 'to', 'format', 'columns', 'formulas', 'limit', 'snapshot', 'after'],
  '/api/fields': ['q', 'from', 'to', 'limit', 'field'],
  '/api/correlations': [...search, 'comparison'],
  '/api/requests/summary': ['q', 'from', 'to', 'by', 'limit'],
  '/api/correlations/:id': ['limit', 'cursor'],
  '/api/jobs': ['name', 'limit'],
  '/api/alerts': ['state', 'q', 'by', 'limit', 'cursor'],
  '/api/alerts/history': search,
  '/api/silences': ['state'],
  '/api/dead-letters': ['reason', 'limit', 'cursor'],
};

/** Those of routes that change something, likewise. */
const changing: Readonly<Record<string, readonly string[]>> = {
  'DELETE /api/silences': ['id'],
};

/** Refuses requests under `api` with unknown parameters: a mistyped one would silently change the query. */
export function registerKnownParameters(api: FastifyInstance): void {
  api.addHook('preHandler', async (request) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const url = request.routeOptions.url ?? '';
    const known = (isRead ? parameters[url] : changing[`${request.method} ${url}`]) ?? [];
    const unknown = unknownViewerParameter(Object.keys(request.query as object), known);
    if (unknown !== undefined) throw new ApiError('bad-parameter', undefined, unknown);
  });
}

import { parseFilter, requiresKind } from '@logloom/filter';
import { loadtestKind } from '@logloom/schemas';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Stores } from '../loadtest/open-loadtest-stores.ts';
import { principalOf } from './register-access.ts';

/** The stores of load tests, for queries. */
export type LoadtestReaders = Stores;

const readers = new WeakMap<FastifyRequest, LoadtestReaders>();

/** The routes whose `q` is about documents. */
const documentRoutes: ReadonlySet<string> = new Set(['/api/correlations', '/api/requests/summary']);

/**
 * Requests whose `q` can match nothing but events or documents of load tests are answered from the stores of load tests, all others from
 * those of users (docs/adr, 38).
 */
export function registerLoadtestRoutes(
  api: FastifyInstance,
  open: () => Promise<LoadtestReaders | undefined>,
): void {
  api.addHook('preHandler', async (request) => {
    const { q } = (request.query ?? {}) as { q?: unknown };
    // All that it costs for other requests.
    if (typeof q !== 'string' || !q.includes(loadtestKind) || principalOf(request).isCanary === true) return;
    const parsed = parseFilter(q);
    const of = documentRoutes.has(request.routeOptions.url ?? '') ? 'documents' : 'events';
    if (!parsed.ok || !requiresKind(parsed.filter, loadtestKind, of)) return;
    const opened = await open();
    if (opened !== undefined) readers.set(request, opened);
  });
}

/** The stores that the request is about, if it is about load tests. */
export function loadtestOf(request: FastifyRequest): LoadtestReaders | undefined {
  return readers.get(request);
}

import { Sealer, type Authenticate, type ClientAddress } from '@logloom/auth';
import {
  compileHighlight,
  FilterSubject,
  type Filter,
  type FilterLimits,
  type Highlights,
} from '@logloom/filter';
import { eventToJson, formatMicros, type PlacedEvent } from '@logloom/schemas';
import { SearchStoreError, type FoundEvent, type SearchStore, type Total } from '@logloom/search-store';
import { asCodedError, protectResponses, sendError } from '@logloom/runtime';
import type { Actor, SecurityLog } from '@logloom/telemetry';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { aggregateJson, aggregateQuery } from '../aggregate/aggregate-route.ts';
import { AlertView } from '../alerts/alert-view.ts';
import { registerAlerts } from '../alerts/register-alerts.ts';
import { ApiError, errors, type ErrorCode } from '../errors.ts';
import { registerExport } from '../export/register-export.ts';
import { registerJobs, type JobsApiDeps } from '../jobs/jobs-api.ts';
import type { CorrelationEventsDeps, MembersPlace } from '../requests/correlation-events.ts';
import { describeParts } from '../requests/request-parts.ts';
import { requestsSummary } from '../requests/requests-summary.ts';
import { summarizeRequest } from '../requests/summary/summarize-request.ts';
import { registerRules } from '../rules/register-rules.ts';
import { eventOrigin } from './event-origin.ts';
import { loadtestOf, registerLoadtestRoutes, type LoadtestReaders } from './register-loadtest-routes.ts';
import { registerKnownParameters } from './known-parameters.ts';
import { newestDeadLetters } from './newest-dead-letters.ts';
import { PageCursors } from './page-cursors.ts';
import { pipelineStatus, type StatusDeps } from './pipeline-status.ts';
import { QueryParameters } from './query-parameters.ts';
import { principalOf, registerAccess } from './register-access.ts';
import { admitAgain, registerAdmission, type ApiAdmission } from './register-admission.ts';
import { registerSql, type SqlSettings } from '../sql/register-sql.ts';
import type { SqlSource } from '../sql/sql-source.ts';
import { VisibleStore } from './visible-store.ts';

export interface ApiDeps extends CorrelationEventsDeps {
  /** May be opened for reading only. */
  search: SearchStore;
  /** Where the canary finds its own events and documents, and nobody else; absent without one. */
  canary?: SearchStore | undefined;
  /** Opens what load tests have stored; undefined: there is nothing. */
  loadtest?: (() => Promise<LoadtestReaders | undefined>) | undefined;
  /** The queue whose jobs the indexer runs; without it there are no routes for jobs and saved filters. */
  jobs?: Pick<JobsApiDeps, 'queue' | 'records'>;
  /** Measures the files of the embedded log and stores, for the status. */
  space?: StatusDeps['space'];
  /** Logloom's version, for the status. */
  version: string;
  /** Authenticates requests; default: everybody may read everything. */
  authenticate?: Authenticate;
  /** Seals the cursors; default: with a key of this process. */
  sealer?: Sealer | undefined;
  /** Admission control; absent if the process that forwards the requests has done it. */
  queue?: ApiAdmission | undefined;
  /** A page ends after this many bytes; default 8 MiB. */
  pageBytes?: number;
  /** How much memory the alerts may take, in bytes; default 32 MiB. */
  alertBookBytes?: number;
  /** The embedded store, for SQL; undefined: the events are in Elasticsearch. */
  sql?: (SqlSource & { settings: SqlSettings }) | undefined;
  /** Whether reads are audited too. */
  auditReads?: boolean | undefined;
  /** The limits on a filter; default: those of the language. */
  filterLimits?: FilterLimits;
  /** The clock for relative times, ms since 1970; default Date.now. */
  nowMs?: () => number;
  /** Returns the address that a request came from; default: its connection's. */
  addressOf?: ClientAddress | undefined;
  /** Logs refused requests, and who started which job. */
  security?: SecurityLog | undefined;
  /** Receives the code of each response that is an error. */
  onFailure?: ((code: string) => void) | undefined;
  /** Receives the errors behind `internal-error` responses. */
  onError?: (error: unknown) => void;
}

/** A document's members come in one page, unless they are large. */
const maxMembers = 1_000_000;
/** A summary is made of at least this many events, if a page's bytes hold them. */
const maxSummarized = 10_000;

/** Adds the search API under /api (docs/api/openapi.yaml). Of the state it keeps only what it has read of logs.alerts. */
export function registerApi(app: FastifyInstance, deps: ApiDeps): void {
  const { nowMs = Date.now, sealer = Sealer.random(), pageBytes = 8 * 2 ** 20 } = deps;
  const alertView = new AlertView(deps, { limitBytes: deps.alertBookBytes ?? 32 * 2 ** 20, nowMs });
  const parametersOf = (request: FastifyRequest): QueryParameters =>
    new QueryParameters(request.query, nowMs(), principalOf(request).filter, deps.filterLimits);
  const addressOf = (request: FastifyRequest): string | undefined =>
    deps.addressOf === undefined ? request.ip : deps.addressOf(request.raw);
  const actorOf = (request: FastifyRequest): Actor => ({
    subject: principalOf(request).name,
    address: addressOf(request),
  });
  const cursorsOf = (request: FastifyRequest, query: QueryParameters): PageCursors =>
    new PageCursors(sealer, [
      request.routeOptions.url ?? '',
      principalOf(request).filter?.canonical ?? '',
      query.documentFilter().canonical,
      ...['from', 'to', 'order'].map((name) => query.text(name) ?? ''),
    ]);
  const searchOf = (request: FastifyRequest): SearchStore => {
    if (principalOf(request).isCanary !== true) return loadtestOf(request)?.search ?? deps.search;
    if (deps.canary === undefined) throw new ApiError('not-found', 'there is no canary');
    return deps.canary;
  };
  const storeOf = (request: FastifyRequest): VisibleStore =>
    new VisibleStore(
      { ...deps, ...loadtestOf(request), search: searchOf(request) },
      principalOf(request).filter,
    );
  /** What is asked for by its id: a user's, else a load test's. */
  const found = async <T>(
    request: FastifyRequest,
    find: (store: VisibleStore) => Promise<T | undefined>,
  ): Promise<{ store: VisibleStore; found: T } | undefined> => {
    const store = storeOf(request);
    const users = await find(store);
    if (users !== undefined) return { store, found: users };
    const { filter, isCanary } = principalOf(request);
    const readers = isCanary === true ? undefined : await deps.loadtest?.();
    if (readers === undefined) return undefined;
    const loadtests = new VisibleStore({ ...deps, ...readers }, filter);
    const theirs = await find(loadtests);
    return theirs && { store: loadtests, found: theirs };
  };
  void app.register(
    async (api) => {
      protectResponses(api);
      api.setErrorHandler((error, _, reply) => sendFailure(error as Error, reply, deps));
      if (deps.authenticate !== undefined)
        registerAccess(api, deps.authenticate, (request, code, message) =>
          deps.security?.refused('api', code, { address: addressOf(request), detail: message }),
        );
      if (deps.auditReads === true) auditReads(api, deps.security, actorOf);
      registerKnownParameters(api);
      const { loadtest } = deps;
      if (loadtest !== undefined) registerLoadtestRoutes(api, loadtest);
      if (deps.queue !== undefined) registerAdmission(api, deps.queue);

      api.get('/search', async (request, reply) => {
        const query = parametersOf(request);
        const filter = query.filter();
        const highlight = query.flag('highlight');
        const cursors = cursorsOf(request, query);
        const page = await searchOf(request).search({
          filter,
          ...query.range(),
          limit: query.limit(),
          order: query.oneOf('order', ['asc', 'desc'], 'desc'),
          cursor: cursors.open(query.text('cursor')),
        });
        const json = pageJson(page.total, 'events', page.events.map(eventJson), cursors.seal(page.next));
        if (!highlight) return sendJson(reply, json);
        const highlights = JSON.stringify(highlightsOf(query.documentFilter(), page.events));
        return sendJson(reply, `${json.slice(0, -1)},"highlights":${highlights}}`);
      });

      api.get('/histogram', async (request) => {
        const query = parametersOf(request);
        query.oneOf('by', ['level'], 'level');
        const intervalMs = query.durationMs('interval');
        const result = await storeOf(request).histogram({
          filter: query.filter(),
          ...query.range(),
          intervalMs,
        });
        return {
          intervalMs: result.intervalMs,
          from: formatMicros(result.fromMicros),
          to: formatMicros(result.toMicros),
          buckets: result.buckets.map(({ startMicros, count, levels }) => ({
            timestamp: formatMicros(startMicros),
            count,
            levels,
          })),
        };
      });

      api.get('/aggregate', async (request) => {
        const query = parametersOf(request);
        return aggregateJson(storeOf(request), aggregateQuery(query));
      });

      registerSql(api, {
        source: deps.sql,
        alerts: async () => (await alertView.current()).alerts(),
        principalOf,
      });

      registerExport(api, {
        sealer,
        parametersOf,
        storeOf: searchOf,
        principalOf,
        admit: (request, gone, work) => admitAgain(deps.queue, request, gone, work),
      });

      api.get('/fields', async (request) => {
        const query = parametersOf(request);
        const field = query.text('field');
        if (field === undefined) return { fields: await storeOf(request).fields() };
        return {
          field,
          ...(await searchOf(request).topValues({
            filter: query.filter(),
            ...query.range(),
            field,
            limit: query.limit(),
          })),
        };
      });

      api.get('/correlations', async (request, reply) => {
        const query = parametersOf(request);
        const text = query.text('q') ?? '';
        const withComparison = query.flag('comparison');
        const store = storeOf(request);
        const cursors = cursorsOf(request, query);
        const page = await withPosition(text, () =>
          store.correlations({
            filter: query.documentFilter(),
            ...query.range(),
            limit: query.limit(),
            cursor: cursors.open(query.text('cursor')),
          }),
        );
        const comparisons = withComparison ? await store.comparisons(page.correlations) : [];
        // JSON leaves out what is undefined.
        const documents = page.correlations.map((c, i) =>
          JSON.stringify({ ...store.documentJson(c), comparison: comparisons[i] }),
        );
        return sendJson(reply, pageJson(page.total, 'correlations', documents, cursors.seal(page.next)));
      });

      api.get('/requests/summary', async (request) => {
        const query = parametersOf(request);
        const by = query.oneOf('by', ['shape', 'service'], 'shape');
        const range = query.range();
        const store = storeOf(request);
        const groups = await withPosition(query.text('q') ?? '', () =>
          store.groupRequests({ filter: query.documentFilter(), ...range, by, limit: query.limit() }),
        );
        return requestsSummary(store, groups, { by, ...range, nowMicros: nowMs() * 1000 });
      });

      api.get<{ Params: { id: string } }>('/correlations/:id', async (request, reply) => {
        const { id } = request.params;
        const query = parametersOf(request);
        const cursors = new PageCursors(sealer, [
          request.routeOptions.url ?? '',
          principalOf(request).filter?.canonical ?? '',
          id,
        ]);
        const cursor = cursors.open(query.text('cursor'));
        const page = {
          after: cursor === undefined ? undefined : (JSON.parse(cursor) as MembersPlace),
          limit: query.limit(maxMembers, maxMembers),
          maxBytes: pageBytes,
        };
        const correlation = await found(request, (each) => each.correlation(id, page));
        if (correlation === undefined) throw new ApiError('not-found', `there is no correlation ${id}`);
        const { store } = correlation;
        const { document, parts, events, next: nextPlace } = correlation.found;
        const next = nextPlace && cursors.seal(JSON.stringify(nextPlace));
        const tail = next === undefined ? '' : `,"next":${JSON.stringify(next)}`;
        const members = `"events":[${events.map(eventJson).join(',')}]${tail}}`;
        // Values about the whole request are on the first page only.
        if (cursor !== undefined)
          return sendJson(reply, `${JSON.stringify(store.documentJson(document)).slice(0, -1)},${members}`);
        // The page may be shorter than what a summary needs.
        const summarized = async (after: MembersPlace | undefined): Promise<PlacedEvent[]> => {
          const missing = maxSummarized - events.length;
          if ((after === undefined && page.limit > 0) || missing <= 0) return events;
          const more = await store.correlation(id, { after, limit: missing, maxBytes: pageBytes });
          return [...events, ...(more?.events ?? [])];
        };
        const [others, [comparison]] = await Promise.all([
          store.related(document),
          // Documents of the same shape are no more than its parts.
          parts.length === 1 ? store.comparisons([document]) : [],
        ]);
        const related = others.filter(({ id: other }) => !parts.some((part) => part.id === other));
        const json = JSON.stringify({
          ...store.documentJson(document),
          ...(parts.length === 1 ? {} : { parts: describeParts(parts) }),
          related,
          summary: summarizeRequest(await summarized(page.limit === 0 ? undefined : nextPlace)),
          ...(comparison === undefined ? {} : { comparison }),
        });
        return sendJson(reply, `${json.slice(0, -1)},${members}`);
      });

      api.get<{ Params: { id: string } }>('/events/:id', async (request, reply) => {
        const { id } = request.params;
        const event = await found(request, (store) => store.event(id));
        if (event === undefined) throw new ApiError('not-found', `there is no event ${id}`);
        return sendJson(reply, eventJson(event.found));
      });

      api.get<{ Params: { id: string } }>('/events/:id/origin', async (request) => {
        const { id } = request.params;
        const event = await found(request, (store) => store.event(id));
        if (event === undefined) throw new ApiError('not-found', `there is no event ${id}`);
        return eventOrigin(deps, event.found);
      });

      api.get('/dead-letters', async (request) => {
        const query = parametersOf(request);
        const reason = query.text('reason');
        const cursors = new PageCursors(sealer, [request.routeOptions.url ?? '', reason ?? '']);
        const cursor = cursors.open(query.text('cursor'));
        const below = cursor === undefined ? undefined : (JSON.parse(cursor) as number[]);
        const page = await newestDeadLetters(deps, { reason, limit: query.limit(), below });
        return { ...page, next: page.next && cursors.seal(JSON.stringify(page.next)) };
      });

      registerAlerts(api, { ...deps, view: alertView, sealer, parametersOf, actorOf, nowMs });

      registerRules(api, { ...deps, nowMs });

      api.get('/receivers/schema.json', async (_, reply) => {
        const { receiversJsonSchema } = await import('@logloom/notify/receivers-file');
        return reply.type('application/schema+json').send(receiversJsonSchema());
      });

      api.get('/status', () => pipelineStatus(deps));

      if (deps.jobs !== undefined) registerJobs(api, { ...deps, ...deps.jobs, nowMs, actorOf });
    },
    { prefix: '/api' },
  );
}

/** Reports every request whose response has events, or data derived from them. */
function auditReads(
  api: FastifyInstance,
  security: SecurityLog | undefined,
  actorOf: (request: FastifyRequest) => Actor,
): void {
  api.addHook('onResponse', async (request, reply) => {
    const sql =
      request.routeOptions.url === '/api/sql' ? (request.body as { sql?: string } | null)?.sql : undefined;
    if ((request.method !== 'GET' && sql === undefined) || reply.statusCode >= 300) return;
    // It reads nothing of users, every few seconds.
    if (principalOf(request).isCanary === true) return;
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    searchParams.delete('access_token');
    security?.read(pathname, sql ?? searchParams.toString(), actorOf(request));
  });
}

/** Why each event was found, under its id; without events for which nothing can be shown. */
function highlightsOf(filter: Filter, events: readonly FoundEvent[]): Record<string, Highlights> {
  const highlight = compileHighlight(filter);
  const all = events.map((event) => [event.id, highlight(new FilterSubject(event as PlacedEvent))] as const);
  return Object.fromEntries(all.filter(([, highlights]) => Object.keys(highlights).length > 0));
}

/** A found event has all the fields that eventToJson() needs. */
function eventJson(event: FoundEvent): string {
  return eventToJson(event as PlacedEvent);
}

function pageJson(total: Total, name: string, items: readonly string[], next: string | undefined): string {
  const tail = next === undefined ? '' : `,"next":${JSON.stringify(next)}`;
  return `{"total":${JSON.stringify(total)},"${name}":[${items.join(',')}]${tail}}`;
}

function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json);
}

/** The store knows which part of the filter it cannot evaluate; the text shows where that part is. */
async function withPosition<T>(text: string, query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (!(error instanceof SearchStoreError) || error.code !== 'bad-filter') throw error;
    const position = Math.max(0, text.indexOf(error.subject ?? ''));
    throw new ApiError('bad-filter', error.message, { parameter: 'q', position });
  }
}

const parameterOf: Partial<Record<ErrorCode, string>> = {
  'bad-cursor': 'cursor',
  'too-many-buckets': 'interval',
  'unknown-field': 'field',
};

function sendFailure(
  error: Error,
  reply: FastifyReply,
  { onError, onFailure }: Pick<ApiDeps, 'onError' | 'onFailure'>,
): FastifyReply {
  const { code } = error as FastifyError;
  if (Object.hasOwn(errors, code)) {
    const known = code as ErrorCode;
    const parameter = parameterOf[known];
    onFailure?.(known);
    const details = error instanceof ApiError ? error.details : parameter === undefined ? {} : { parameter };
    return sendError(reply, new ApiError(known, error.message, details));
  }
  const coded = asCodedError(error);
  onFailure?.(coded.code);
  if (coded.status === 500) onError?.(error);
  return sendError(reply, coded);
}

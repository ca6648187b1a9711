import { compileHighlight, FilterSubject, type Filter, type Highlights } from '@logloom/filter';
import { rulesJsonSchema } from '@logloom/rules';
import { correlationToJson, eventToJson, formatMicros, type PlacedEvent } from '@logloom/schemas';
import { SearchStoreError, type FoundEvent, type SearchStore, type Total } from '@logloom/search-store';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { correlationEvents, type CorrelationEventsDeps } from './correlation-events.ts';
import { ApiError, errors, type ErrorCode } from './errors.ts';
import { registerJobs, type JobsApiDeps } from './jobs/jobs-api.ts';
import { newestAlerts } from './newest-alerts.ts';
import { pipelineStatus } from './pipeline-status.ts';
import { QueryParameters } from './query-parameters.ts';
import { relatedRequests } from './related-requests.ts';
import { requestAnomaly } from './request-anomaly.ts';
import { summarizeRequest } from './summarize-request.ts';

export interface ApiDeps extends CorrelationEventsDeps {
  /** May be opened for reading only. */
  search: SearchStore;
  /** The queue that the indexer works; without it there are no routes for jobs and saved filters. */
  jobs?: Pick<JobsApiDeps, 'queue' | 'records'>;
  /** Logloom's version, for the status. */
  version: string;
  /** The clock for relative times, ms since 1970; default Date.now. */
  now?: () => number;
  /** Told of faults that are answered with `internal-error`. */
  onError?: (error: unknown) => void;
}

/** Adds the search API under /api (docs: interface, "Search"). It keeps nothing between requests. */
export function registerApi(app: FastifyInstance, deps: ApiDeps): void {
  const { search, now = Date.now, onError } = deps;
  void app.register(
    async (api) => {
      api.setErrorHandler((error, _, reply) => sendError(error as Error, reply, onError));

      api.get('/search', async (request, reply) => {
        const query = new QueryParameters(request.query, now());
        const filter = query.filter();
        const highlight = query.flag('highlight');
        const page = await search.search({
          filter,
          ...query.range(),
          limit: query.limit(),
          order: query.oneOf('order', ['asc', 'desc'], 'desc'),
          cursor: query.text('cursor'),
        });
        const json = pageJson(page.total, 'events', page.events.map(eventJson), page.next);
        if (!highlight) return sendJson(reply, json);
        const highlights = JSON.stringify(highlightsOf(filter, page.events));
        return sendJson(reply, `${json.slice(0, -1)},"highlights":${highlights}}`);
      });

      api.get('/histogram', async (request) => {
        const query = new QueryParameters(request.query, now());
        query.oneOf('by', ['level'], 'level');
        const intervalMs = query.durationMs('interval');
        const result = await search.histogram({ filter: query.filter(), ...query.range(), intervalMs });
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

      api.get('/fields', async (request) => {
        const query = new QueryParameters(request.query, now());
        const field = query.text('field');
        if (field === undefined) return { fields: await search.fields() };
        return {
          field,
          ...(await search.topValues({
            filter: query.filter(),
            ...query.range(),
            field,
            limit: query.limit(),
          })),
        };
      });

      api.get('/correlations', async (request, reply) => {
        const query = new QueryParameters(request.query, now());
        const text = query.text('q') ?? '';
        const page = await withPosition(text, () =>
          search.correlations({
            filter: query.filter(),
            ...query.range(),
            limit: query.limit(),
            cursor: query.text('cursor'),
          }),
        );
        const documents = page.correlations.map((c) => JSON.stringify(correlationToJson(c)));
        return sendJson(reply, pageJson(page.total, 'correlations', documents, page.next));
      });

      api.get<{ Params: { id: string } }>('/correlations/:id', async (request, reply) => {
        const { id } = request.params;
        const document =
          (await search.correlation(id)) ??
          (await search.correlationsById(id))[0] ??
          (await search.correlationsByIds([id], 1))[0];
        if (document === undefined) throw new ApiError('not-found', `there is no correlation ${id}`);
        const [events, related, anomaly] = await Promise.all([
          correlationEvents(deps, document),
          relatedRequests(search, document),
          requestAnomaly(search, document),
        ]);
        const json = JSON.stringify({
          ...correlationToJson(document),
          related,
          summary: summarizeRequest(events),
          ...(anomaly === undefined ? {} : { anomaly }),
        });
        return sendJson(reply, `${json.slice(0, -1)},"events":[${events.map(eventJson).join(',')}]}`);
      });

      api.get<{ Params: { id: string } }>('/events/:id', async (request, reply) => {
        const { id } = request.params;
        const event = await search.event(id);
        if (event === undefined) throw new ApiError('not-found', `there is no event ${id}`);
        return sendJson(reply, eventJson(event));
      });

      api.get('/alerts', async (request) => {
        const query = new QueryParameters(request.query, now());
        return { alerts: await newestAlerts(deps.log, deps.serde, query.limit()) };
      });

      api.get('/rules/schema.json', (_, reply) =>
        reply.type('application/schema+json').send(rulesJsonSchema()),
      );

      api.get('/status', () => pipelineStatus(deps));

      if (deps.jobs !== undefined) registerJobs(api, { ...deps, ...deps.jobs, now });
    },
    { prefix: '/api' },
  );
}

/** Why each event was found, under its id; without those of which nothing can be shown. */
function highlightsOf(filter: Filter, events: readonly FoundEvent[]): Record<string, Highlights> {
  const highlight = compileHighlight(filter);
  const all = events.map((event) => [event.id, highlight(new FilterSubject(event as PlacedEvent))] as const);
  return Object.fromEntries(all.filter(([, highlights]) => Object.keys(highlights).length > 0));
}

/** What eventToJson writes is all in a found event. */
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

/** The store knows which part of the filter it cannot answer, the text says where that is. */
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

function sendError(error: Error, reply: FastifyReply, onError?: (error: unknown) => void): FastifyReply {
  const { code, statusCode } = error as FastifyError;
  if (Object.hasOwn(errors, code)) {
    const known = code as ErrorCode;
    const parameter = parameterOf[known];
    const details = error instanceof ApiError ? error.details : parameter === undefined ? {} : { parameter };
    return reply.code(errors[known].status).send({ error: { code, message: error.message, ...details } });
  }
  // Fastify's own refusals, such as a malformed URL.
  if (statusCode !== undefined && statusCode < 500)
    return reply.code(statusCode).send({ error: { code: 'bad-parameter', message: error.message } });
  onError?.(error);
  return reply
    .code(500)
    .send({ error: { code: 'internal-error', message: errors['internal-error'].meaning } });
}

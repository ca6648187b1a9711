import { JobQueueError, type Job, type JobQueue, type JobRecords } from '@logloom/job-queue';
import { formatMicros } from '@logloom/schemas';
import type { Actor, SecurityLog } from '@logloom/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { QueryParameters } from '../api/query-parameters.ts';
import { principalOf } from '../api/register-access.ts';
import { ApiError } from '../errors.ts';
import type { LogAccess } from './dead-letters.ts';
import { jobNames, orderKind, resultKind, retries, type OrderedJob } from './job-names.ts';
import { countRedrive, planRedrive, type RedriveCriteria } from './redrive.ts';
import { SavedFilters, type SavedFiltersDeps } from './saved-filters.ts';
import { viewNames, type ViewName } from './verify-views.ts';
import { recordsBegan } from './watch-records.ts';

export interface JobsApiDeps extends LogAccess, SavedFiltersDeps {
  /** The sender of a request, for the security log. */
  actorOf?: ((request: FastifyRequest) => Actor) | undefined;
  security?: SecurityLog | undefined;
}

/** Who started a job and when, as stored with the job. */
export interface Order extends Actor {
  /** Milliseconds since 1970. */
  at: number;
}

interface WithId {
  Params: { id: string };
}

/** Adds the routes for jobs and saved filters (docs/jobs.md) to the API. The indexer runs the jobs. */
export function registerJobs(api: FastifyInstance, deps: JobsApiDeps): void {
  const { queue, records, nowMs } = deps;
  const savedFilters = new SavedFilters(deps);
  const order = (what: string, request: FastifyRequest): Order => {
    const actor = deps.actorOf?.(request) ?? { address: request.ip };
    deps.security?.ordered(what, actor);
    return { ...actor, at: nowMs() };
  };

  // The record is backed up; the queue is not.
  const add = async (id: string, job: OrderedJob): Promise<void> => {
    await records.put(orderKind, id, job);
    await queue.add(job.name, job.data, { ...retries, id });
  };

  api.post('/jobs/redrive', async (request, reply) => {
    const body = objectOf(request.body);
    const criteria = readCriteria(body, nowMs());
    if (flag(body, 'dryRun')) return { dryRun: true, ...(await countRedrive(deps, criteria)) };
    const id = `redrive-${randomUUID()}`;
    const orderedBy = order(`redrive ${id}`, request);
    await add(id, { name: jobNames.redrive, data: { ...(await planRedrive(deps, criteria)), orderedBy } });
    return reply.code(202).send({ id });
  });

  api.post('/jobs/rebuild', async (request, reply) => {
    objectOf(request.body);
    const id = `rebuild-${randomUUID()}`;
    const orderedBy = order(`rebuild ${id}`, request);
    await add(id, { name: jobNames.rebuild, data: { orderedBy } });
    return reply.code(202).send({ id });
  });

  api.post('/jobs/verify', async (request, reply) => {
    const body = objectOf(request.body);
    const job = { refill: flag(body, 'refill'), view: readView(body['view']) };
    const id = `verify-${randomUUID()}`;
    const orderedBy = order(`verify ${id}`, request);
    await add(id, { name: jobNames.verify, data: { ...job, orderedBy } });
    return reply.code(202).send({ id });
  });

  api.get('/jobs', async (request) => {
    const query = new QueryParameters(request.query, nowMs());
    const names = Object.values(jobNames);
    const only = query.text('name') === undefined ? names : [query.oneOf('name', names, names[0]!)];
    const limit = query.limit();
    const counts = await Promise.all(only.map(async (name) => [name, await queue.counts(name)] as const));
    const failed = await Promise.all(
      only.map(async (name) => (limit === 0 ? [] : queue.failed(name, limit))),
    );
    const newest = failed.flat().toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0));
    return {
      counts: Object.fromEntries(counts),
      failed: newest.slice(0, limit).map((job) => jobJson(job, undefined)),
    };
  });

  api.post('/jobs/retry', async (request, reply) => {
    const name = jobNameOf(objectOf(request.body)['name']);
    let retried = 0;
    for (const { id } of await queue.failed(name, mostRetried)) if (await retryFailed(queue, id)) retried++;
    order(`retry ${retried} jobs ${name}`, request);
    return reply.code(202).send({ retried });
  });

  api.get<WithId>('/jobs/:id', async ({ params: { id } }) => {
    const job = await queue.get(id);
    if (job === undefined) throw new ApiError('job-not-found', await whyNoJob(records, id));
    return jobJson(job, await records.get(resultKind, id));
  });

  api.post<WithId>('/jobs/:id/retry', async (request, reply) => {
    objectOf(request.body);
    const { id } = request.params;
    await queue.retry(id);
    order(`retry ${id}`, request);
    return reply.code(202).send({ id });
  });

  api.post('/saved-filters', async (request, reply) => {
    const created = await savedFilters.create(objectOf(request.body), principalOf(request).subject);
    order(`saved filter ${created.id}`, request);
    return reply.code(201).send(created);
  });

  api.get('/saved-filters', async () => ({ savedFilters: await savedFilters.list() }));

  api.get<WithId>('/saved-filters/:id', async ({ params: { id } }) => {
    const found = await savedFilters.get(id);
    if (found === undefined) throw new ApiError('not-found', `there is no saved filter ${id}`);
    return found;
  });

  api.delete<WithId>('/saved-filters/:id', async (request, reply) => {
    const { id } = request.params;
    if (!(await savedFilters.delete(id))) throw new ApiError('not-found', `there is no saved filter ${id}`);
    order(`end of saved filter ${id}`, request);
    return reply.code(204).send();
  });
}

/** As many as the queue keeps. */
const mostRetried = 10_000;

function jobNameOf(given: unknown): string {
  const names = Object.values(jobNames);
  const name = names.find((known) => known === given);
  if (name === undefined)
    throw new ApiError('bad-parameter', `name is one of ${names.join(', ')}`, { parameter: 'name' });
  return name;
}

/** False for a job that was retried, or removed, by somebody else meanwhile. */
async function retryFailed(queue: Pick<JobQueue, 'retry'>, id: string): Promise<boolean> {
  try {
    await queue.retry(id);
    return true;
  } catch (error) {
    if (error instanceof JobQueueError && ['job-not-failed', 'job-not-found'].includes(error.code))
      return false;
    throw error;
  }
}

function jobJson(job: Job, result: unknown): Record<string, unknown> {
  const { id, name, state, progress, attemptsMade, attempts, error, addedAt, finishedAt } = job;
  return {
    id,
    name,
    state,
    progress,
    attemptsMade,
    attempts,
    ...orderJson(job.data),
    ...(error === undefined ? {} : { error }),
    addedAt: formatMicros(addedAt * 1000),
    ...(finishedAt === undefined ? {} : { finishedAt: formatMicros(finishedAt * 1000) }),
    ...(result === undefined ? {} : { result }),
  };
}

/** Who started it; undefined if the clock or an alert did. */
function orderJson(data: unknown): { orderedBy?: object } {
  const order = (data as { orderedBy?: Order } | null)?.orderedBy;
  if (order === undefined) return {};
  const { at, ...actor } = order;
  return { orderedBy: { ...actor, at: formatMicros(at * 1000) } };
}

function readCriteria(body: Readonly<Record<string, unknown>>, nowMs: number): RedriveCriteria {
  const parameters = new QueryParameters(body, nowMs);
  return {
    code: parameters.text('code'),
    text: parameters.text('filter'),
    ...parameters.range(),
    again: flag(body, 'again'),
  };
}

async function whyNoJob(records: JobRecords, id: string): Promise<string> {
  const since = await recordsBegan(records);
  return since === undefined
    ? `there is no job ${id}`
    : `there is no job ${id}: it is no longer kept, or it was started before the job store was emptied; the present store began at ${formatMicros(since * 1000)}`;
}

function readView(given: unknown): ViewName | undefined {
  if (given === undefined) return undefined;
  const view = viewNames.find((name) => name === given);
  if (view === undefined)
    throw new ApiError('bad-parameter', `view is one of ${viewNames.join(', ')}`, { parameter: 'view' });
  return view;
}

function flag(body: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean')
    throw new ApiError('bad-parameter', `${name} is true or false`, { parameter: name });
  return value;
}

/** A page of another origin can send a body of another type without a preflight request, but not JSON: so JSON is required. */
function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ApiError('bad-parameter', 'the body is a JSON object, with content-type application/json');
  return body as Record<string, unknown>;
}

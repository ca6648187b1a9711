import type { Sealer } from '@logloom/auth';
import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { alertFingerprint, alertToJson, topics, type Alert, type Silence } from '@logloom/schemas';
import type { Actor, SecurityLog } from '@logloom/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { PageCursors } from '../api/page-cursors.ts';
import type { QueryParameters } from '../api/query-parameters.ts';
import { principalOf } from '../api/register-access.ts';
import { newestAlerts } from '../api/newest-alerts.ts';
import { ApiError } from '../errors.ts';
import { alertHistory } from './alert-history.ts';
import { alertStateJson, silenceJson, time } from './alert-json.ts';
import { alertPredicate } from './alert-subject.ts';
import type { AlertView } from './alert-view.ts';
import { alertStates, groupAlerts, listAlerts, type AlertPlace } from './list-alerts.ts';
import {
  maxAuthorLength,
  maxReasonLength,
  readSilenceRequest,
  readText,
  refuseUnknown,
} from './silence-request.ts';

export interface AlertsApiDeps {
  log: EventLog;
  serde: Serde;
  view: AlertView;
  sealer: Sealer;
  parametersOf: (request: FastifyRequest) => QueryParameters;
  actorOf: (request: FastifyRequest) => Actor;
  security?: SecurityLog | undefined;
  nowMs: () => number;
}

const maxSilences = 1000;
const maxGroupLabels = 5;
const silenceStates = ['active', 'pending', 'expired'] as const;

interface WithId {
  Params: { id: string };
}

/** Adds the routes for alerts and silences (docs/alerts.md) to the API. What they change is a record of logs.alerts. */
export function registerAlerts(api: FastifyInstance, deps: AlertsApiDeps): void {
  const { log, serde, view, parametersOf, nowMs } = deps;
  const cursorsOf = (request: FastifyRequest, query: QueryParameters): PageCursors =>
    new PageCursors(deps.sealer, [
      request.routeOptions.url ?? '',
      ...['state', 'q', 'from', 'to'].map((name) => query.text(name) ?? ''),
    ]);
  const ordered = (request: FastifyRequest, what: string): void =>
    deps.security?.ordered(what, deps.actorOf(request));
  const append = async (silence: Silence): Promise<void> => {
    const value = serde.encode('Silence', silence);
    await log.append(topics.alerts, [{ partition: 0, key: silence.id, value }]);
  };
  const silenceOf = async (id: string) => {
    const found = (await view.current()).silences().find(({ silence }) => silence.id === id);
    if (found === undefined) throw new ApiError('not-found', `there is no silence ${id}`);
    return found;
  };
  const alertOf = async (fingerprint: string) => {
    const found = (await view.current()).get(fingerprint);
    if (found === undefined) throw new ApiError('not-found', `there is no alert ${fingerprint}`);
    return found;
  };

  api.get('/alerts', async (request) => {
    const query = parametersOf(request);
    const matches = alertPredicate(query.documentFilter());
    const by = query.list('by', maxGroupLabels);
    const states = query.someOf('state', alertStates);
    if (states === undefined) {
      for (const parameter of ['by', 'cursor'])
        if (query.text(parameter) !== undefined)
          throw new ApiError('bad-parameter', `${parameter} needs state`, { parameter });
      const alerts = await newestAlerts(log, serde, query.limit(), matches);
      return { alerts: alerts.map(raisedJson) };
    }
    const cursors = cursorsOf(request, query);
    const cursor = cursors.open(query.text('cursor'));
    const book = await view.current();
    const { all, page, next } = listAlerts(book.alerts(), {
      states,
      matches,
      limit: query.limit(),
      after: cursor === undefined ? undefined : (JSON.parse(cursor) as AlertPlace),
    });
    return {
      total: { value: all.length, exact: true },
      alerts: page.map(alertStateJson),
      ...(by.length === 0 ? {} : { groups: groupAlerts(all, by) }),
      ...(book.isFull ? { dropped: book.dropped } : {}),
      next: next && cursors.seal(JSON.stringify(next)),
    };
  });

  api.get('/alerts/history', async (request) => {
    const query = parametersOf(request);
    const predicate = alertPredicate(query.documentFilter());
    const cursors = cursorsOf(request, query);
    const cursor = cursors.open(query.text('cursor'));
    const { fromMicros, toMicros } = query.range();
    const { entries, next } = await alertHistory(deps, {
      matches: ({ searchable }) => predicate(searchable),
      limit: query.limit(),
      fromMs: fromMicros === undefined ? undefined : Math.ceil(fromMicros / 1000),
      toMs: toMicros === undefined ? undefined : Math.ceil(toMicros / 1000),
      below: cursor === undefined ? undefined : (JSON.parse(cursor) as number[]),
    });
    return { history: entries.map(({ json }) => json), next: next && cursors.seal(JSON.stringify(next)) };
  });

  api.get<WithId>('/alerts/:id', async ({ params: { id } }) => alertStateJson(await alertOf(id)));

  api.post<WithId>('/alerts/:id/acknowledge', async (request, reply) => {
    const body = bodyOf(request.body);
    refuseUnknown(body, ['note', 'author']);
    const { fingerprint, rule, state, startsAt } = await alertOf(request.params.id);
    if (state === 'resolved')
      throw new ApiError('alert-resolved', `the alert ${fingerprint} is resolved already`);
    const note = body['note'] === undefined ? '' : readText(body['note'], 'note', maxReasonLength);
    const acknowledged = { author: authorOf(request, body), note, at: nowMs() };
    const record = { fingerprint, rule, startsAt, ...acknowledged };
    await log.append(topics.alerts, [
      { partition: 0, key: fingerprint, value: serde.encode('Acknowledgement', record) },
    ]);
    ordered(request, `acknowledgement of alert ${fingerprint}`);
    return reply
      .code(201)
      .send({ fingerprint, acknowledged: { ...acknowledged, at: time(acknowledged.at) } });
  });

  api.get('/silences', async (request) => {
    const states = parametersOf(request).someOf('state', silenceStates) ?? silenceStates;
    const silences = (await view.current())
      .silences()
      .filter(({ state }) => states.includes(state))
      .sort(
        (a, b) =>
          silenceStates.indexOf(a.state) - silenceStates.indexOf(b.state) ||
          b.silence.startsAt - a.silence.startsAt,
      );
    return { silences: silences.map(silenceJson) };
  });

  api.get<WithId>('/silences/:id', async ({ params: { id } }) => silenceJson(await silenceOf(id)));

  api.post('/silences', async (request, reply) => {
    const body = bodyOf(request.body);
    const silence = readSilenceRequest(body, {
      id: randomUUID(),
      author: authorOf(request, body),
      nowMs: nowMs(),
    });
    const known = (await view.current()).silences().filter(({ state }) => state !== 'expired');
    if (known.length >= maxSilences)
      throw new ApiError('too-many-silences', `there are ${known.length} silences; end some of them`);
    await append(silence);
    ordered(request, `silence ${silence.id}`);
    return reply.code(201).send(silenceJson(await silenceOf(silence.id)));
  });

  const endSilence = async (request: FastifyRequest, reply: FastifyReply, id: string) => {
    const { silence, state } = await silenceOf(id);
    if (state !== 'expired') {
      const author = authorOf(request, {});
      await append({ ...silence, endsAt: nowMs(), endedBy: author });
      ordered(request, `end of silence ${silence.id}`);
    }
    return reply.code(204).send();
  };
  api.delete<WithId>('/silences/:id', (request, reply) => endSilence(request, reply, request.params.id));
  api.delete('/silences', async (request, reply) => {
    const id = parametersOf(request).text('id');
    if (id === undefined) throw new ApiError('bad-parameter', 'id is that of a silence', { parameter: 'id' });
    return endSilence(request, reply, id);
  });
}

/** A raised alert as this route has always returned it, and what identifies it. */
function raisedJson(alert: Alert) {
  const { rule, key, fingerprint } = alert;
  return {
    ...alertToJson(alert),
    fingerprint: fingerprint === '' ? alertFingerprint(rule, key) : fingerprint,
  };
}

/** Who a token says it is; without tokens, who the body says. */
function authorOf(request: FastifyRequest, body: Readonly<Record<string, unknown>>): string {
  const { name } = principalOf(request);
  if (name !== undefined) return name;
  return body['author'] === undefined ? 'anonymous' : readText(body['author'], 'author', maxAuthorLength);
}

function bodyOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ApiError('bad-parameter', 'the body is a JSON object, with content-type application/json');
  return body as Record<string, unknown>;
}

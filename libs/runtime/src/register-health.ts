import { CodedError, errorBody, requestErrors } from '@logloom/errors';
import { storageErrors } from '@logloom/sqlite';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Registry } from 'prom-client';
import { noParameters } from './known-parameters.ts';
import { runtimeMetrics } from './runtime-metrics.ts';
import type { Trouble } from './space/storage-watch.ts';

/** What prevents the service from working at present; undefined if nothing does. */
export type HealthCheck = () => string | undefined;

export interface Health {
  /** Whether the service accepts work. */
  ready: boolean;
  /** What an operator has to fix, in words: the service is not ready while there is any. */
  problems?: readonly string[];
  /** Why it accepts no work, if the reason is not only that it has not started yet. */
  trouble?: Trouble | undefined;
  /** Each returns what prevents the service from working at present, if anything does: it is not ready meanwhile. */
  checks?: Iterable<HealthCheck>;
}

/**
 * Adds GET /health/live, /health/ready (503 until ready, and with the problems while something prevents the service from working) and
 * /metrics (Prometheus text).
 */
export function registerHealth(app: FastifyInstance, health: Health, registry?: Registry): void {
  const options = { preHandler: noParameters() };
  app.get('/health/live', options, async () => ({ status: 'live' }));
  app.get('/health/ready', options, async (_, reply) => {
    const why = whyNotReady(health);
    return why === undefined ? { status: 'ready' } : sendNotReady(reply, why);
  });
  if (registry !== undefined)
    runtimeMetrics.ready.observe(registry, (set) => set(whyNotReady(health) === undefined ? 1 : 0));
}

function whyNotReady({ ready, trouble, problems = [], checks = [] }: Health): NotReady | undefined {
  if (trouble !== undefined) return trouble;
  const found = [...new Set([...problems, ...[...checks].flatMap((check) => check() ?? [])])];
  if (!ready) return { code: 'starting', problems: found };
  return found.length === 0 ? undefined : { code: 'degraded', problems: found };
}

const notReady = { ...requestErrors, ...storageErrors };

interface NotReady {
  code: keyof typeof notReady;
  message?: string;
  problems?: readonly string[];
}

/** 503 in the common shape of errors, with `status` and `problems` beside it, which probes and operators use. */
export function sendNotReady(reply: FastifyReply, why: NotReady): FastifyReply {
  const { code, problems = [] } = why;
  const { message } = new CodedError(notReady, code, why.message);
  return reply.code(503).send({
    status: code,
    ...(why.message !== undefined && { message }),
    ...(problems.length > 0 && { problems }),
    ...errorBody({ code, message }),
  });
}

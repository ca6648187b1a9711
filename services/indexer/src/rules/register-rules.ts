import type { EventLog } from '@logloom/event-log';
import { formatProblem, type RuleSet } from '@logloom/rules';
import type { Serde } from '@logloom/schema-registry';
import { formatMicros } from '@logloom/schemas';
import type { FastifyInstance } from 'fastify';
import { goneSignal } from '../api/api-queue.ts';
import { QueryParameters } from '../api/query-parameters.ts';
import { ApiError } from '../errors.ts';
import { backtestRules } from './backtest-rules.ts';
import { rulesInForce } from './rules-in-force.ts';

/** How long a backtest may take, ms. */
const maxBacktestMs = 60_000;
const defaultRangeMs = 86_400_000;

interface RulesDeps {
  log: EventLog;
  serde: Serde;
  nowMs: () => number;
}

/** Adds the routes for rules to the API. */
export function registerRules(api: FastifyInstance, { log, serde, nowMs }: RulesDeps): void {
  api.get('/rules', () => rulesInForce(log, serde));

  api.get('/rules/schema.json', async (_, reply) => {
    const { rulesJsonSchema } = await import('@logloom/rules/rules-file');
    return reply.type('application/schema+json').send(rulesJsonSchema());
  });

  api.post('/rules/backtest', async (request, reply) => {
    const body = objectOf(request.body);
    const unknown = Object.keys(body).find((name) => !['rules', 'from', 'to'].includes(name));
    if (unknown !== undefined)
      throw new ApiError('bad-parameter', `there is no parameter ${unknown}: it takes rules, from and to`, {
        parameter: unknown,
      });
    const { rules, warnings } = await readRules(body['rules']);
    const { fromMicros, toMicros } = new QueryParameters(body, nowMs()).range();
    const toMs = Math.floor((toMicros ?? nowMs() * 1000) / 1000);
    const fromMs = fromMicros === undefined ? toMs - defaultRangeMs : Math.floor(fromMicros / 1000);
    if (fromMs > toMs) throw new ApiError('bad-parameter', 'from is after to', { parameter: 'from' });
    const {
      judgedMs,
      isComplete,
      events,
      requests,
      rules: trials,
    } = await backtestRules({
      log,
      serde,
      rules,
      fromMs,
      toMs,
      maxMs: maxBacktestMs,
      signal: goneSignal(reply.raw),
    });
    return {
      version: rules.version,
      from: formatMicros(fromMs * 1000),
      to: formatMicros(Math.floor(judgedMs) * 1000),
      complete: isComplete,
      events,
      requests,
      rules: trials,
      // They need the request's events, not the log's windows: replay them.
      skipped: rules.rules.map(({ name }) => name),
      warnings,
    };
  });
}

async function readRules(given: unknown): Promise<{ rules: RuleSet; warnings: string[] }> {
  if (typeof given !== 'string')
    throw new ApiError('bad-parameter', 'rules is the text of a rules file', { parameter: 'rules' });
  const { parseRules } = await import('@logloom/rules/rules-file');
  const result = parseRules(given);
  if (result.ok)
    return { rules: result.rules, warnings: result.warnings.map((each) => formatProblem('rules', each)) };
  const problems = result.problems.map((each) => formatProblem('rules', each)).join('\n');
  throw new ApiError('bad-parameter', problems, { parameter: 'rules' });
}

/** A page of another origin can send a body of another type without a preflight request, but not JSON: so JSON is required. */
function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ApiError('bad-parameter', 'the body is a JSON object, with content-type application/json');
  return body as Record<string, unknown>;
}

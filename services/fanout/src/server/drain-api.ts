import { CodedError, requestErrors } from '@logloom/errors';
import { knownParameters } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import type { LiveNode } from './live-node.ts';
import type { OperatorAccess } from './operator-access.ts';

const maxOverMs = 3_600_000;

/**
 * Adds POST /admin/drain?over=, for operators and deploys: the node takes no more viewers, is no longer ready, and sends its viewers away over
 * that time. The response tells how many are left; the same request later tells it again.
 */
export function registerDrainApi(
  app: FastifyInstance,
  access: OperatorAccess,
  live: () => LiveNode,
  defaultOverMs: number,
): void {
  const options = { onRequest: access.onRequest, preHandler: knownParameters('over') };
  app.post('/admin/drain', options, async (request) => {
    const node = live();
    const overMs = readOverMs((request.query as Record<string, unknown>)['over'], defaultOverMs);
    if (!node.isDraining) access.ordered(`drain over ${overMs} ms`, request);
    return { state: 'draining', viewers: await node.drain(overMs) };
  });
}

function readOverMs(given: unknown, defaultMs: number): number {
  if (given === undefined) return defaultMs;
  if (typeof given === 'string' && /^\d{1,7}$/.test(given) && Number(given) <= maxOverMs)
    return Number(given);
  const details = { parameter: 'over' };
  throw new CodedError(requestErrors, 'bad-parameter', `over is a number of ms from 0 to ${maxOverMs}`, {
    details,
  });
}

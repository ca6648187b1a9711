import { CodedError, requestErrors } from '@logloom/errors';
import { knownParameters } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings.ts';
import type { Drainable } from './drainable.ts';
import { OperatorAccess, type OperatorAccessDeps } from './operator-access.ts';

export interface DrainApiDeps extends OperatorAccessDeps {
  /** Undefined until the viewers' processes are there. */
  node: () => Drainable | undefined;
  settings: Pick<Settings, 'LIVE_TRUSTED_PROXIES' | 'LIVE_DRAIN_MS'>;
}

const maxOverMs = 3_600_000;

/**
 * Adds POST /admin/drain?over=, for operators and deploys: the node takes no more viewers, is no longer ready, and sends its viewers away over
 * that time. The response tells how many are left; the same request later tells it again.
 */
export function registerDrainApi(app: FastifyInstance, deps: DrainApiDeps): void {
  const access = new OperatorAccess(deps);
  const options = { onRequest: access.onRequest, preHandler: knownParameters('over') };
  app.post('/admin/drain', options, async (request) => {
    const node = deps.node();
    if (node === undefined) throw new CodedError(requestErrors, 'starting');
    const overMs = readOverMs(
      (request.query as Record<string, unknown>)['over'],
      deps.settings.LIVE_DRAIN_MS,
    );
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

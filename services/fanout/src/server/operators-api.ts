import { CodedError, requestErrors } from '@logloom/errors';
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings.ts';
import { registerDrainApi } from './drain-api.ts';
import type { LiveNode } from './live-node.ts';
import { OperatorAccess, type OperatorAccessDeps } from './operator-access.ts';
import { registerViewersApi } from './viewers-api.ts';

export interface OperatorsApiDeps extends OperatorAccessDeps {
  /** Undefined until it is open: requests are then refused with `starting`. */
  node: () => LiveNode | undefined;
  settings: Pick<Settings, 'LIVE_TRUSTED_PROXIES' | 'LIVE_DRAIN_MS'>;
}

/** Adds what operators ask of a node of the live tier: `/api/viewers` and `/admin/drain`. */
export function registerOperatorsApi(app: FastifyInstance, deps: OperatorsApiDeps): void {
  const access = new OperatorAccess(deps);
  const live = (): LiveNode => {
    const node = deps.node();
    if (node === undefined) throw new CodedError(requestErrors, 'starting');
    return node;
  };
  registerViewersApi(app, access, () => live().viewers);
  registerDrainApi(app, access, live, deps.settings.LIVE_DRAIN_MS);
}

import { sendNotReady } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import type { ServerState } from './http-receiver.ts';
import { refuseParametersBut } from './refuse-parameters.ts';

/** The paths of the health checks with their methods. They need no key. */
export const healthPaths = { '/health/live': 'GET, HEAD', '/health/ready': 'GET, HEAD' } as const;

/** Adds the health checks: 503 with the reason while the service can take no events. */
export function registerHealth(app: FastifyInstance, state: ServerState): void {
  const options = { onRequest: refuseParametersBut() };
  app.get('/health/live', options, async () => ({ status: 'live' }));
  app.get('/health/ready', options, async (_request, reply) => {
    if (state.phase !== 'ready') return sendNotReady(reply, { code: state.phase });
    const trouble = state.storage?.trouble;
    if (trouble !== undefined) return sendNotReady(reply, trouble);
    const problem = state.problem?.();
    if (problem !== undefined) return sendNotReady(reply, { code: 'degraded', problems: [problem] });
    return { status: 'ready' };
  });
}

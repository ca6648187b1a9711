import type { FastifyInstance } from 'fastify';
import { liveError } from './errors.ts';
import { refuseWith, welcome } from './live-request.ts';
import type { LiveTier } from './live-tier.ts';

/** Adds GET /live/durable, the names of durable subscriptions and where they stand, and DELETE /live/durable/{name}. */
export function attachDurables(app: FastifyInstance, tier: LiveTier): void {
  app.get('/live/durable', async (request, reply) => {
    const access = await welcome(request, tier);
    if (!access.ok) return refuseWith(reply, access.error);
    const { durables, holder = '' } = access.session;
    if (durables === undefined) return refuseWith(reply, liveError('durable-unavailable'));
    try {
      const durable = await durables.list(`${holder}/`);
      return {
        durable: durable.map(({ usedAt, ...rest }) => ({ ...rest, usedAt: new Date(usedAt).toISOString() })),
      };
    } catch {
      return refuseWith(reply, liveError('durable-unavailable'));
    }
  });

  app.delete<{ Params: { name: string } }>('/live/durable/:name', async (request, reply) => {
    const access = await welcome(request, tier);
    if (!access.ok) return refuseWith(reply, access.error);
    const { durables, holder = '' } = access.session;
    if (durables === undefined) return refuseWith(reply, liveError('durable-unavailable'));
    try {
      if (await durables.delete(`${holder}/${request.params.name}`)) return await reply.code(204).send();
      const message = 'no durable subscription has this name';
      return await refuseWith(reply, liveError('not-found', { message }));
    } catch {
      return refuseWith(reply, liveError('durable-unavailable'));
    }
  });
}

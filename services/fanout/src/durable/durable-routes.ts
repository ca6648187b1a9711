import { knownParameters } from '@logloom/runtime';
import { liveError } from '../errors.ts';
import { accessFor, refuseWith } from '../transports/http-request.ts';
import type { TransportContext } from '../transports/transport.ts';

const defaultNames = 100;
const maxNames = 1_000;

/** Adds GET /live/durable?limit=&cursor=, the names of durable subscriptions with their cursors, and DELETE /live/durable/{name}. */
export function attachDurables(context: TransportContext): void {
  const { app } = context;
  app.get('/live/durable', { preHandler: knownParameters('limit', 'cursor') }, async (request, reply) => {
    const access = await accessFor(request, context);
    if (!access.ok) return refuseWith(reply, context, access.error);
    const { durables, principal = '' } = access.context;
    if (durables === undefined) return refuseWith(reply, context, liveError('durable-unavailable'));
    const { limit = String(defaultNames), cursor: given } = request.query as Record<string, unknown>;
    if (typeof limit !== 'string' || !/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > maxNames)
      return refuseWith(
        reply,
        context,
        liveError('bad-message', { message: `limit: is not a number from 1 to ${maxNames}` }),
      );
    const cursor = typeof given === 'string' ? Buffer.from(given, 'base64url').toString() : undefined;
    try {
      const { names, next } = await durables.list(`${principal}/`, Number(limit), cursor);
      return {
        durable: names.map(({ usedAt, ...rest }) => ({ ...rest, usedAt: new Date(usedAt).toISOString() })),
        ...(next === undefined ? {} : { next: Buffer.from(next).toString('base64url') }),
      };
    } catch {
      return refuseWith(reply, context, liveError('durable-unavailable'));
    }
  });

  const options = { preHandler: knownParameters() };
  app.delete<{ Params: { name: string } }>('/live/durable/:name', options, async (request, reply) => {
    const access = await accessFor(request, context);
    if (!access.ok) return refuseWith(reply, context, access.error);
    const { durables, principal = '' } = access.context;
    if (durables === undefined) return refuseWith(reply, context, liveError('durable-unavailable'));
    try {
      if (await durables.delete(`${principal}/${request.params.name}`)) return await reply.code(204).send();
      const message = 'no durable subscription has this name';
      return await refuseWith(reply, context, liveError('not-found', { message }));
    } catch {
      return refuseWith(reply, context, liveError('durable-unavailable'));
    }
  });
}

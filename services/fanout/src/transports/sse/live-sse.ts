import type { FastifyInstance } from 'fastify';
import { readQuery, refuseWith, welcome } from '../live-request.ts';
import type { LiveTier } from '../../server/live-tier.ts';
import { SseViewer } from './sse-viewer.ts';

/** Takes viewers at GET /live/sse. What is wrong with the request is answered as JSON before the stream starts. */
export function attachSse(app: FastifyInstance, tier: LiveTier): void {
  app.get('/live/sse', async (request, reply) => {
    const access = await welcome(request, tier);
    if (!access.ok) return refuseWith(reply, access.error);
    const lastEventId = request.headers['last-event-id'];
    const resumeAt = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : undefined;
    const read = readQuery(request.query as Record<string, unknown>, access.session, 'sse', resumeAt);
    if (!read.ok) return refuseWith(reply, read.error);
    const admission = tier.enterSubscribed(request.raw, access.holder);
    if (!admission.ok) return refuseWith(reply, admission.error);
    // It went while it was looked at: nothing would tell of its end any more.
    if (reply.raw.destroyed || request.raw.socket.destroyed) {
      admission.seat.leave();
      return reply.hijack();
    }
    reply.hijack();
    const viewer = new SseViewer(reply.raw, access.session, () => {
      tier.leave('sse', viewer);
      admission.seat.leave();
    });
    tier.admit('sse', viewer, access.holder);
    viewer.start(tier.options.heartbeatMs, read.request);
    return reply;
  });
}

import { knownParameters } from '@logloom/runtime';
import { accessFor, readQuery, refuseWith, subscriptionParameters } from '../http-request.ts';
import type { Transport } from '../transport.ts';
import { SseViewer } from './sse-viewer.ts';

const name = 'sse';

/** Serves viewers at GET /live/sse. Errors of the request are sent as JSON before the stream starts. */
export const sseTransport: Transport = {
  name,
  isLongLived: true,
  attach(context) {
    const { app, admission, viewers, heartbeatMs } = context;
    const options = { preHandler: knownParameters(...subscriptionParameters) };
    app.get('/live/sse', options, async (request, reply) => {
      const access = await accessFor(request, context);
      if (!access.ok) return refuseWith(reply, context, access.error);
      const { context: viewerContext, principal } = access;
      const lastEventId = request.headers['last-event-id'];
      const resumeAt = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : undefined;
      const read = readQuery(request.query as Record<string, unknown>, viewerContext, name, resumeAt);
      if (!read.ok) return refuseWith(reply, context, read.error);
      const admitted = admission.enterSubscribed(request.raw, principal);
      if (!admitted.ok) return refuseWith(reply, context, admitted.error);
      const { slot } = admitted;
      reply.hijack();
      // The client has left meanwhile, and no event would report that any more.
      if (reply.raw.destroyed || request.raw.socket.destroyed) {
        slot.release();
        return reply;
      }
      const viewer = new SseViewer(reply.raw, viewerContext, () => {
        viewers.delete(name, viewer);
        slot.release();
      });
      viewers.add(name, viewer, principal.expiresAtMs, {
        address: admission.addressOf(request.raw),
        subject: principal.name,
      });
      viewer.start(heartbeatMs, read.request);
      return reply;
    });
  },
};

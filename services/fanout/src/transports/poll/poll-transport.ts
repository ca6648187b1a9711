import { knownParameters } from '@logloom/runtime';
import { badParameter, liveError, type LiveError } from '../../errors.ts';
import { accessFor, readQuery, refuseWith, subscriptionParameters } from '../http-request.ts';
import type { Transport } from '../transport.ts';
import { PollViewer, type PollResponse } from './poll-viewer.ts';

const name = 'poll';
const defaultWaitMs = 25_000;
const maxWaitMs = 60_000;

/**
 * Answers GET /live/poll?filter=&stream=&from=&wait=, for clients behind proxies that support neither WebSockets nor streams: waits up to
 * `wait` milliseconds until something matches, and returns the cursor for the next poll, which misses nothing.
 */
export const pollTransport: Transport = {
  name,
  isLongLived: false,
  attach(context) {
    const { app, admission, viewers } = context;
    const options = { preHandler: knownParameters(...subscriptionParameters, 'wait') };
    app.get('/live/poll', options, async (request, reply) => {
      const access = await accessFor(request, context);
      if (!access.ok) return refuseWith(reply, context, access.error);
      const { context: viewerContext, principal } = access;
      const query = request.query as Record<string, unknown>;
      const read = readQuery(query, viewerContext, name);
      if (!read.ok) return refuseWith(reply, context, read.error);
      const { wait = String(defaultWaitMs) } = query;
      if (typeof wait !== 'string' || !/^\d{1,5}$/.test(wait) || Number(wait) > maxWaitMs) {
        const message = `wait must be a whole number of milliseconds from 0 to ${maxWaitMs}`;
        return refuseWith(reply, context, badParameter('wait', message));
      }
      const admitted = admission.enterSubscribed(request.raw, principal);
      if (!admitted.ok) return refuseWith(reply, context, admitted.error);
      const viewer = new PollViewer(viewerContext, read.request, Number(wait));
      viewers.add(name, viewer, principal.expiresAtMs, {
        address: admission.addressOf(request.raw),
        subject: principal.name,
      });
      reply.raw.once('close', () => viewer.close());
      // The client has left meanwhile, and no event would report that any more.
      if (reply.raw.destroyed || request.raw.socket.destroyed) viewer.close();
      try {
        const response = await viewer.response;
        if (isError(response)) return await refuseWith(reply, context, response);
        // There is no cursor before the subscription has begun: the wait was too short.
        if (response.cursor === '') return await refuseWith(reply, context, liveError('log-unavailable'));
        return await reply.header('cache-control', 'no-store').send(response);
      } finally {
        viewers.delete(name, viewer);
        admitted.slot.release();
      }
    });
  },
};

function isError(response: PollResponse | LiveError): response is LiveError {
  return 'code' in response;
}

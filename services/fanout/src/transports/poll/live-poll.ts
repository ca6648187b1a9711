import type { FastifyInstance } from 'fastify';
import { liveError } from '../../errors.ts';
import { readQuery, refuseWith, welcome } from '../live-request.ts';
import type { LiveTier } from '../../server/live-tier.ts';
import { PollViewer } from './poll-viewer.ts';

const defaultWaitMs = 25_000;
const maxWaitMs = 60_000;

/**
 * Answers GET /live/poll?filter=&stream=&from=&wait=, for clients behind proxies that pass on neither WebSockets nor streams: waits
 * up to `wait` milliseconds until something matches, and gives the cursor for the next poll, in which nothing is missing.
 */
export function attachPoll(app: FastifyInstance, tier: LiveTier): void {
  app.get('/live/poll', async (request, reply) => {
    const access = await welcome(request, tier);
    if (!access.ok) return refuseWith(reply, access.error);
    const query = request.query as Record<string, unknown>;
    const read = readQuery(query, access.session, 'poll');
    if (!read.ok) return refuseWith(reply, read.error);
    const { wait = String(defaultWaitMs) } = query;
    if (typeof wait !== 'string' || !/^\d{1,5}$/.test(wait) || Number(wait) > maxWaitMs) {
      const message = `wait: is not a number of milliseconds up to ${maxWaitMs}`;
      return refuseWith(reply, liveError('bad-message', { message }));
    }
    const admission = tier.enterSubscribed(request.raw, access.holder);
    if (!admission.ok) return refuseWith(reply, admission.error);
    const viewer = new PollViewer(access.session, read.request, Number(wait));
    tier.admit('poll', viewer, access.holder);
    reply.raw.once('close', () => viewer.close());
    // It went while it was looked at: nothing would tell of its end any more.
    if (reply.raw.destroyed || request.raw.socket.destroyed) viewer.close();
    try {
      const answer = await viewer.answer;
      if ('code' in answer) return await refuseWith(reply, answer as Parameters<typeof refuseWith>[1]);
      // Before its subscription began there is no cursor: the time was too short.
      if (answer.cursor === '') return await refuseWith(reply, liveError('log-unavailable'));
      return await reply.header('cache-control', 'no-store').send(answer);
    } finally {
      tier.leave('poll', viewer);
      admission.seat.leave();
    }
  });
}

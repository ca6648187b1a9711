import type { FastifyInstance, FastifyReply } from 'fastify';
import { streamNames, type StreamName } from './client-message.ts';
import { parseCursor } from './cursor.ts';
import { liveError, liveErrors, type LiveError } from './errors.ts';
import type { LiveTier } from './live-tier.ts';
import { isAllowedOrigin } from './origin.ts';
import { SseViewer } from './sse-viewer.ts';
import { parseFromText } from './subscribe-from.ts';

/** Takes viewers at GET /live/sse. What is wrong with the request is answered as JSON before the stream starts. */
export function attachSse(app: FastifyInstance, tier: LiveTier): void {
  app.get('/live/sse', async (request, reply) => {
    const { origin, host } = request.headers;
    if (!isAllowedOrigin(origin, host)) return refuse(reply, liveError('bad-origin'));
    const refusal = tier.refusal();
    if (refusal !== undefined) return refuse(reply, liveError(refusal));

    const query = request.query as Record<string, unknown>;
    const { filter = '', stream = 'events', from = 'now' } = query;
    if (typeof filter !== 'string' || typeof from !== 'string' || !streamNames.includes(stream as StreamName))
      return refuse(
        reply,
        liveError('bad-message', { message: 'filter, stream and from may each be given once' }),
      );
    const lastEventId = request.headers['last-event-id'];
    const start = parseFromText(typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : from);
    if (!start.ok) return refuse(reply, liveError('bad-message', { message: `from: ${start.problem}` }));

    const liveStream = tier.session.streams[stream as StreamName];
    const compiled = liveStream.kind.compile(filter);
    if (!compiled.ok) return refuse(reply, compiled.error);
    if (start.from.type === 'cursor' && parseCursor(start.from.cursor)?.letter !== liveStream.kind.letter)
      return refuse(reply, liveError('bad-cursor'));

    reply.hijack();
    const viewer = new SseViewer(reply.raw, tier.session, () => tier.leave('sse', viewer));
    tier.admit('sse', viewer);
    viewer.start(tier.options.heartbeatMs, {
      id: 'sse',
      filter,
      stream: stream as StreamName,
      from: start.from,
      priority: 'normal',
    });
    return reply;
  });
}

async function refuse(reply: FastifyReply, error: LiveError): Promise<FastifyReply> {
  const { status, retriable } = liveErrors[error.code];
  if (retriable) reply.header('retry-after', '5');
  return reply.code(status).send({ error });
}

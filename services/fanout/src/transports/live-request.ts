import type { Access, Principal } from '@logloom/auth';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { streamNames, type StreamName, type SubscribeRequest } from '../protocol/client-message.ts';
import { parseCursor } from '../protocol/cursor.ts';
import { liveError, liveErrors, type LiveError } from '../errors.ts';
import type { LiveTier } from '../server/live-tier.ts';
import type { SessionContext } from '../delivery/session.ts';
import { parseFromText } from '../protocol/subscribe-from.ts';

export type Welcome =
  { ok: true; session: SessionContext; holder: Principal } | { ok: false; error: LiveError };

/** Whether the request of a viewer over plain HTTP may be served, and with what. */
export async function welcome(request: FastifyRequest, tier: LiveTier): Promise<Welcome> {
  const refused = tier.guard.refusal(request.raw);
  if (refused !== undefined) return { ok: false, error: tier.refused(request.raw, liveError(refused)) };
  const refusal = tier.refusal();
  if (refusal !== undefined) return { ok: false, error: refusal };
  const access = await new Promise<Access>((resolve) => {
    void tier.gate.enter(() => tier.authenticate(request.raw), resolve);
  });
  if (!access.ok) return { ok: false, error: tier.refused(request.raw, access.error) };
  return { ok: true, session: tier.sessionFor(access.principal, request.raw), holder: access.principal };
}

export type ReadQuery = { ok: true; request: SubscribeRequest } | { ok: false; error: LiveError };

/** The subscription that a URL's query asks for; `resumeAt` wins over its `from`. */
export function readQuery(
  query: Readonly<Record<string, unknown>>,
  session: SessionContext,
  id: string,
  resumeAt?: string,
): ReadQuery {
  const { filter = '', stream = 'events', from = 'now' } = query;
  if (typeof filter !== 'string' || typeof from !== 'string' || !streamNames.includes(stream as StreamName)) {
    const message = 'filter, stream and from may each be given once';
    return { ok: false, error: liveError('bad-message', { message }) };
  }
  const start = parseFromText(resumeAt ?? from);
  if (!start.ok) return { ok: false, error: liveError('bad-message', { message: `from: ${start.problem}` }) };
  const { kind } = session.streams[stream as StreamName];
  const compiled = kind.compile(filter, session.limits.filter, session.imposed);
  if (!compiled.ok) return { ok: false, error: compiled.error };
  if (start.from.type === 'cursor' && parseCursor(start.from.cursor)?.letter !== kind.letter)
    return { ok: false, error: liveError('bad-cursor') };
  return {
    ok: true,
    request: { id, filter, stream: stream as StreamName, from: start.from, priority: 'normal' },
  };
}

export async function refuseWith(reply: FastifyReply, error: LiveError): Promise<FastifyReply> {
  const { status, retriable } = liveErrors[error.code];
  if (retriable) reply.header('retry-after', '5');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send({ error });
}

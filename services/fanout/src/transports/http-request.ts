import type { Access, Principal } from '@logloom/auth';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ViewerContext } from '../delivery/viewer-context.ts';
import { badParameter, liveError, liveErrors, type LiveError } from '../errors.ts';
import { streamNames, type StreamName, type SubscribeRequest } from '../protocol/client-message.ts';
import { parseCursor } from '../protocol/cursor.ts';
import { parseFromText } from '../protocol/subscribe-from.ts';
import { kindOf } from '../visible/stream-of.ts';
import type { TransportContext } from './transport.ts';

export type HttpAccess =
  { ok: true; context: ViewerContext; principal: Principal } | { ok: false; error: LiveError };

/** Authenticates a viewer's plain HTTP request; returns the environment of its subscription, or why it is refused. */
export async function accessFor(
  { raw }: FastifyRequest,
  { admission, contextFor }: TransportContext,
): Promise<HttpAccess> {
  const refusal = admission.refusalOf(raw);
  if (refusal !== undefined) return { ok: false, error: refusal };
  const access = await new Promise<Access>((resolve) => admission.authenticate(raw, resolve));
  if (!access.ok) return { ok: false, error: admission.report(raw, access.error) };
  const { principal } = access;
  return { ok: true, context: contextFor(principal, raw), principal };
}

/** What readQuery() reads. */
export const subscriptionParameters = ['filter', 'stream', 'from'] as const;

export type ReadQuery = { ok: true; request: SubscribeRequest } | { ok: false; error: LiveError };

/** The subscription that a URL's query asks for; `resumeAt` wins over its `from`. */
export function readQuery(
  query: Readonly<Record<string, unknown>>,
  context: ViewerContext,
  id: string,
  resumeAt?: string,
): ReadQuery {
  const { filter = '', stream = 'events', from = 'now' } = query;
  if (typeof filter !== 'string') return bad('filter', 'filter may appear once');
  if (typeof from !== 'string') return bad('from', 'from may appear once');
  if (!streamNames.includes(stream as StreamName))
    return bad('stream', `stream must be one of ${streamNames.join(', ')}`);
  const start = parseFromText(resumeAt ?? from);
  if (!start.ok) return bad('from', `from: ${start.problem}`);
  const kind = kindOf(context, stream as StreamName);
  const compiled = kind.compile(filter, context.limits.filter, context.imposed);
  if (!compiled.ok) return { ok: false, error: compiled.error };
  if (start.from.type === 'cursor' && parseCursor(start.from.cursor)?.letter !== kind.letter)
    return { ok: false, error: liveError('bad-cursor') };
  return {
    ok: true,
    request: { id, filter, stream: stream as StreamName, from: start.from, priority: 'normal' },
  };
}

function bad(parameter: string, message: string): ReadQuery {
  return { ok: false, error: badParameter(parameter, message) };
}

/** Answers with the error, and counts it. */
export async function refuseWith(
  reply: FastifyReply,
  { counts }: Pick<TransportContext, 'counts'>,
  error: LiveError,
): Promise<FastifyReply> {
  counts.refused(error.code);
  const { status, retriable } = liveErrors[error.code];
  if (retriable) reply.header('retry-after', '5');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send({ error });
}

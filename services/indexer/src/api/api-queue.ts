import { forwardedClientAddress, networkOf, type Authenticate } from '@logloom/auth';
import type { QueueFullError } from '@logloom/runtime';
import { AdmissionQueue, sendError, type AdmissionSlot } from '@logloom/runtime';
import { memoryBudget } from '@logloom/settings';
import type { Settings } from '../settings.ts';
import type { FastifyReply } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';

export { measureRequests, registerQueueMetrics } from '../telemetry.ts';

const waitingPerPrincipal = 50;
const waiting = 500;
/** The share of the memory that unsent responses may use; one page is much less (apiPageBytes). */
const unsentShare = 0.15;
const unsentMost = 256 * 2 ** 20;
/** A client that reads nothing of its response for this long is disconnected, ms. */
const stalledMs = 20_000;
/** Of a streamed response: it holds little meanwhile, and its next part may have to wait for its turn. */
const streamStalledMs = 120_000;

/** A page of the API ends after this many bytes. */
export function apiPageBytes(): number {
  return memoryBudget(0.015, 8 * 2 ** 20);
}

/** The admission queue of an API that works on `atOnce` requests at a time; one principal may take all slots but one. */
export function createApiQueue(atOnce: number): AdmissionQueue {
  return new AdmissionQueue({
    atOnce,
    atOncePerPrincipal: Math.max(1, atOnce - 1),
    waitingPerPrincipal,
    waiting,
    unsentBytes: memoryBudget(unsentShare, unsentMost),
  });
}

/** Names the principal whose slots a request takes: the token's subject, or the address (IPv6: its network). */
export function createPrincipalName(
  authenticate: Authenticate,
  { LIVE_TRUSTED_PROXIES }: Pick<Settings, 'LIVE_TRUSTED_PROXIES'>,
): (request: IncomingMessage) => Promise<string> {
  const addressOf = forwardedClientAddress(LIVE_TRUSTED_PROXIES);
  return async (request) => {
    const access = await authenticate(request);
    if (access.ok && access.principal.subject !== undefined) return `principal ${access.principal.subject}`;
    const address = addressOf(request);
    return address === undefined ? '' : `address ${networkOf(address)}`;
  };
}

/** Aborts when the client disconnects before it has its response. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Releases the slot when the response has been sent, and disconnects a client that does not read it. */
export function watchSending(
  response: ServerResponse,
  slot: AdmissionSlot,
  bytes: number,
  { isStream = false } = {},
): void {
  slot.done(bytes);
  if (response.closed) return slot.sent();
  response.once('close', () => slot.sent());
  response.setTimeout(isStream ? streamStalledMs : stalledMs, () => response.socket?.destroy());
}

export function sendQueueFull(reply: FastifyReply, error: QueueFullError): FastifyReply {
  reply.header('retry-after', String(error.retryAfterSeconds));
  return sendError(reply, error);
}

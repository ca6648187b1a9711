import { clientAddress, networkOf, type Authenticate, type ClientAddress } from '@logloom/auth';
import type { QueueFullError } from '@logloom/runtime';
import { FairQueue, type Turn } from '@logloom/runtime';
import { memoryBudget, type Settings } from '@logloom/settings';
import type { FastifyReply } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors } from '../errors.ts';

export { registerQueueMetrics } from '../telemetry.ts';

const waitingPerHolder = 50;
const waiting = 500;
/** Of the memory there is, what answers may take that are not sent yet; one page is much less (apiPageBytes). */
const unsentShare = 0.15;
const unsentMost = 256 * 2 ** 20;
/** A client that takes in nothing of its answer for so long is cut off. */
const stalledMs = 20_000;

/** A page of the API ends after so many bytes. */
export function apiPageBytes(): number {
  return memoryBudget(0.015, 8 * 2 ** 20);
}

/** The queue before an API that does so many requests at once; one holder has all places but one. */
export function createApiQueue(atOnce: number): FairQueue {
  return new FairQueue({
    atOnce,
    atOncePerHolder: Math.max(1, atOnce - 1),
    waitingPerHolder,
    waiting,
    unsentBytes: memoryBudget(unsentShare, unsentMost),
  });
}

/** Where the process that took the connection says whose request it hands on; believed on a local socket alone. */
export const clientHeader = 'x-logloom-client';

/** The address of the client, also where a process of the live tier has handed its request on. */
export function requestAddress({
  LIVE_TRUSTED_PROXIES,
}: Pick<Settings, 'LIVE_TRUSTED_PROXIES'>): ClientAddress {
  const addressOf = clientAddress(LIVE_TRUSTED_PROXIES);
  return (request) => {
    const handedOn = request.headers[clientHeader];
    // A connection over a local socket has no address.
    if (request.socket.remoteAddress !== undefined || typeof handedOn !== 'string') return addressOf(request);
    return handedOn === '' ? undefined : handedOn;
  };
}

/** Names who is to share its turns: the holder of the token, or the address (IPv6: its network). */
export function createHolderName(
  authenticate: Authenticate,
  { LIVE_TRUSTED_PROXIES }: Pick<Settings, 'LIVE_TRUSTED_PROXIES'>,
): (request: IncomingMessage) => Promise<string> {
  const addressOf = requestAddress({ LIVE_TRUSTED_PROXIES });
  return async (request) => {
    const access = await authenticate(request);
    if (access.ok && access.holder.subject !== undefined) return `holder ${access.holder.subject}`;
    const address = addressOf(request);
    return address === undefined ? '' : `address ${networkOf(address)}`;
  };
}

/** Aborts when the client goes before it has its answer. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Tells the queue when the answer has been sent, and cuts off a client that does not read it. */
export function watchSending(response: ServerResponse, turn: Turn, bytes: number): void {
  turn.done(bytes);
  if (response.closed) return turn.sent();
  response.once('close', () => turn.sent());
  response.setTimeout(stalledMs, () => response.socket?.destroy());
}

export function sendQueueFull(reply: FastifyReply, error: QueueFullError): FastifyReply {
  const { code, message, retryAfterSeconds } = error;
  return reply
    .code(errors[code].status)
    .header('retry-after', String(retryAfterSeconds))
    .send({ error: { code, message } });
}

import { CodedError, errorBody, requestErrors } from '@logloom/errors';
import type { ConnectionError, FastifyReply, FastifyServerOptions } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { asCodedError, sendError } from './error-responses.ts';

/** How often requests are looked through for those that take too long to arrive. */
const lookMs = 5_000;
/** A client that has been answered may take so long to read it. */
const lingerMs = 1_000;

/** The codes of what Node's parser refuses. */
const codes: Readonly<Record<string, 'request-timeout' | 'headers-too-large'>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};

/** The options that let a server respond in one shape also to what never becomes a request. */
export const errorOptions = {
  frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) => {
    sendError(reply, asCodedError(error));
  },
  clientErrorHandler: (error: ConnectionError, socket: Socket) => {
    // Reset by the peer: nobody is there to be told.
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const coded = new CodedError(requestErrors, codes[error.code] ?? 'bad-request');
    answerAndClose(socket, coded.status, JSON.stringify(errorBody(coded)));
  },
} satisfies FastifyServerOptions;

/**
 * The options of every server of ours but ingest's: a request has to arrive whole within `requestMs`, or it is answered 408 and its
 * connection closed. A connection that never sends anything is closed then too. close() cuts what is still open.
 */
export function serverOptions(requestMs: number): Pick<
  FastifyServerOptions,
  'requestTimeout' | 'clientErrorHandler' | 'frameworkErrors'
> & {
  logger: false;
  forceCloseConnections: true;
  return503OnClosing: false;
  http: { headersTimeout: number; connectionsCheckingInterval: number; requireHostHeader: false };
} {
  return {
    ...errorOptions,
    logger: false,
    // handleErrors() does it, in the shape of all errors.
    return503OnClosing: false,
    // Otherwise a request that never arrives whole would hold up the stop.
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: {
      // refuseWithoutHost() does it.
      requireHostHeader: false,
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.min(lookMs, Math.max(1, requestMs)),
    },
  };
}

/**
 * Answers on a bare socket and closes it: when the peer has closed its side, or a second later whatever it does. Node keeps a server's
 * sockets half open, so that end() alone would leave the rest to the peer.
 */
export function answerAndClose(
  socket: Socket,
  status: number,
  body: string,
  headers: readonly string[] = [],
): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'X-Content-Type-Options: nosniff',
    'Cross-Origin-Resource-Policy: same-origin',
    'Cache-Control: no-store',
    ...headers,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  // A peer that is gone before it reads this needs no more handling.
  socket.on('error', () => socket.destroy());
  const cut = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(cut));
  // What is still to come is thrown away: unread, it would hide the peer's end, and reset the connection before the answer is read.
  socket.resume();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

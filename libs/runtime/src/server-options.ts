import { CodedError, errorBody, requestErrors } from '@logloom/errors';
import type { ConnectionError, FastifyReply, FastifyServerOptions } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { asCodedError, sendError } from './error-responses.ts';

/** How often requests are checked for those that take too long to arrive. */
const lookMs = 5_000;
/** How long a client may take to read its response. */
const lingerMs = 1_000;

/** The codes for requests that Node's parser refuses. */
const codes: Readonly<Record<string, 'request-timeout' | 'headers-too-large'>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};

const refuseSchema = (): never => {
  throw new Error('a route of Logloom checks its parameters itself, without a schema');
};

/** The options that every server has, which make it respond in the common shape even to input that never becomes a request. */
export const commonOptions = {
  // Fastify would otherwise load its compilers of schemas, 240 modules, into every thread that has a server.
  schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
  frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) => {
    sendError(reply, asCodedError(error));
  },
  clientErrorHandler: (error: ConnectionError, socket: Socket) => {
    // Reset by the peer: a response would reach nobody.
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const coded = new CodedError(requestErrors, codes[error.code] ?? 'bad-request');
    answerAndClose(socket, coded.status, JSON.stringify(errorBody(coded)));
  },
} satisfies FastifyServerOptions;

/**
 * The options of every server except ingest's: a request has to arrive completely within `requestMs`, or it gets 408 and its connection is
 * closed. A connection that never sends anything is closed then too. close() cuts connections that are still open.
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
    ...commonOptions,
    logger: false,
    // handleErrors() does it, in the common shape of errors.
    return503OnClosing: false,
    // Otherwise a request that never arrives completely would delay the stop.
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
 * Responds on a bare socket and closes it when the peer has closed its side, or after a second. Node keeps a server's sockets half open, so
 * end() alone would leave the closing to the peer.
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
  // The rest of the input is discarded: unread, it would hide the peer's end, and reset the connection before the response is read.
  socket.resume();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

import type { FastifyServerOptions } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** How often requests are looked through for those that take too long to arrive. */
const lookMs = 5_000;
/** A client that has been answered may take so long to read it. */
const lingerMs = 1_000;

const answers: Readonly<Record<string, { status: number; code: string; message: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request-timeout',
    message: 'the request took too long to arrive',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers-too-large',
    message: 'the headers are larger than they may be',
  },
};
const unreadable = { status: 400, code: 'bad-request', message: 'this is no request of HTTP/1.1' };

/**
 * The options of every server of ours but ingest's: a request has to arrive whole within `requestMs`, or it is answered 408 and its
 * connection closed. A connection that never sends anything is closed then too. close() cuts what is still open.
 */
export function serverOptions(requestMs: number): Pick<
  FastifyServerOptions,
  'requestTimeout' | 'clientErrorHandler'
> & {
  logger: false;
  forceCloseConnections: true;
  http: { headersTimeout: number; connectionsCheckingInterval: number };
} {
  return {
    logger: false,
    // Otherwise a request that never arrives whole would hold up the stop.
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: {
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.min(lookMs, Math.max(1, requestMs)),
    },
    clientErrorHandler: (error, socket) => {
      // Reset by the peer: nobody is there to be told.
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
      const { status, code, message } = answers[error.code] ?? unreadable;
      answerAndClose(socket, status, JSON.stringify({ error: { code, message } }));
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

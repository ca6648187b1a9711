import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { perMessageDeflate } from './deflate.ts';
import { liveError, liveErrors, type LiveErrorCode } from './errors.ts';
import { LiveSocket } from './live-socket.ts';
import type { LiveTier } from './live-tier.ts';
import { isAllowedOrigin } from './origin.ts';
import { WebSocketViewer } from './web-socket-viewer.ts';

export const subprotocol = 'logloom.v1';

/** Beyond this the connection is closed with 1009; up to it, too large a message only gets an error. */
const maxPayload = 1 << 20;
const retryAfterSeconds = 5;

/** Takes WebSocket connections at /live. */
export function attachWebSocket(server: Server, tier: LiveTier): void {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate,
    WebSocket: LiveSocket,
    maxPayload,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  const onClose = (viewer: WebSocketViewer): void => tier.leave('websocket', viewer);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const refusal = refusalOf(request, tier);
    if (refusal !== undefined) return refuse(socket, refusal);
    // Without Nagle's wait a small frame leaves at once; ws sets it too late for the handshake's answer.
    socket.setNoDelay(true);
    webSockets.handleUpgrade(request, socket, head, (ws) => {
      tier.admit(
        'websocket',
        new WebSocketViewer(ws, socket, tier.session, tier.options.heartbeatMs, onClose),
      );
    });
  });
}

function refusalOf({ url = '', headers }: IncomingMessage, tier: LiveTier): LiveErrorCode | undefined {
  if (url.split('?', 1)[0] !== '/live') return 'not-found';
  if (!isAllowedOrigin(headers.origin, headers.host)) return 'bad-origin';
  return tier.refusal();
}

function refuse(socket: Socket, code: LiveErrorCode): void {
  const { status, retriable } = liveErrors[code];
  const body = JSON.stringify({ error: liveError(code) });
  const retryAfter = retriable ? `Retry-After: ${retryAfterSeconds}\r\n` : '';
  // A peer that is gone before it reads this needs no more handling.
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retryAfter}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

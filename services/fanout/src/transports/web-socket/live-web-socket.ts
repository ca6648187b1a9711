import type { Access } from '@logloom/auth';
import { answerAndClose } from '@logloom/runtime';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { avroSubprotocol } from '../../encoding/avro-frame.ts';
import type { ConnectionLimit } from '../../admission/connection-limit.ts';
import { perMessageDeflate } from '../../encoding/deflate.ts';
import { liveError, liveErrors, type LiveError } from '../../errors.ts';
import { LiveSocket } from './live-socket.ts';
import type { LiveTier } from '../../server/live-tier.ts';
import { WebSocketViewer } from './web-socket-viewer.ts';

export const subprotocol = 'logloom.v1';
const subprotocols = new Set([subprotocol, avroSubprotocol]);

/** Beyond this the connection is closed with 1009; up to it, too large a message only gets an error. */
const maxPayload = 1 << 20;
const retryAfterSeconds = 5;

/** Takes WebSocket connections at /live. */
export function attachWebSocket(server: Server, tier: LiveTier, connections: ConnectionLimit): void {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate,
    WebSocket: LiveSocket,
    maxPayload,
    // A token among them is for us to read, not to agree on.
    handleProtocols: (offered) => [...offered].find((name) => subprotocols.has(name)) ?? false,
  });
  // Otherwise ws would respond in a shape of its own.
  webSockets.on('wsClientError', (error, socket, request) => {
    const isMethod = request.method !== 'GET';
    const code = isMethod ? 'method-not-allowed' : 'bad-request';
    refuse(socket as Socket, liveError(code, { message: error.message }), [
      ...(isMethod ? ['Allow: GET'] : []),
      'Sec-WebSocket-Version: 13',
    ]);
  });
  const onClose = (viewer: WebSocketViewer): void => tier.leave('websocket', viewer);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const refusal = refusalOf(request, tier);
    if (refusal !== undefined) return refuse(socket, refusal);
    const ignore = (): void => {};
    // A peer that goes away while it waits needs no more handling.
    socket.on('error', ignore);
    void tier.gate.enter(
      () => tier.authenticate(request),
      (access) => {
        socket.off('error', ignore);
        if (!socket.destroyed) letIn(request, socket, head, access);
      },
    );
  });

  function letIn(request: IncomingMessage, socket: Socket, head: Buffer, access: Access): void {
    if (!access.ok) return refuse(socket, tier.refused(request, access.error));
    const admission = tier.enter(request, access.principal);
    if (!admission.ok) return refuse(socket, admission.error);
    // Without Nagle's wait a small frame leaves at once; ws sets it too late for the handshake's answer.
    socket.setNoDelay(true);
    const { seat } = admission;
    const { principal: holder } = access;
    let isUpgraded = false;
    webSockets.handleUpgrade(request, socket, head, (ws) => {
      isUpgraded = true;
      connections.upgraded(socket);
      const { heartbeatMs } = tier.options;
      const viewer = new WebSocketViewer(
        ws,
        socket,
        tier.sessionFor(holder, request),
        seat,
        heartbeatMs,
        onClose,
      );
      tier.admit('websocket', viewer, holder);
    });
    // ws itself has refused the handshake.
    if (!isUpgraded) seat.leave();
  }
}

function refusalOf(request: IncomingMessage, tier: LiveTier): LiveError | undefined {
  const { url = '' } = request;
  if (url.split('?', 1)[0] !== '/live') return liveError('not-found');
  const refused = tier.guard.refusal(request);
  if (refused !== undefined) return tier.refused(request, liveError(refused));
  return tier.refusal();
}

function refuse(socket: Socket, error: LiveError, more: readonly string[] = []): void {
  const { status, retriable } = liveErrors[error.code];
  const headers = [
    ...more,
    ...(retriable ? [`Retry-After: ${retryAfterSeconds}`] : []),
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
  ];
  answerAndClose(socket, status, JSON.stringify({ error }), headers);
}

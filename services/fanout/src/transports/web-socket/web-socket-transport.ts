import type { Access } from '@logloom/auth';
import { answerAndClose, knownParameters, unknownViewerParameter } from '@logloom/runtime';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { avroSubprotocol } from '../../encoding/avro-frame.ts';
import { perMessageDeflate } from '../../encoding/deflate.ts';
import { liveError, liveErrors, unknownParameterError, type LiveError } from '../../errors.ts';
import type { LiveCounts } from '../../server/live-counts.ts';
import { refuseWith } from '../http-request.ts';
import type { Transport } from '../transport.ts';
import { LiveSocket } from './live-socket.ts';
import { WebSocketViewer } from './web-socket-viewer.ts';

const name = 'websocket';
const subprotocols = new Set(['logloom.v1', avroSubprotocol]);

/** Beyond this the connection is closed with 1009; up to it, a message that is too large only gets an error. */
const maxPayload = 1 << 20;
const retryAfterSeconds = 5;

/** Serves WebSocket connections at /live, and refuses every other upgrade on the server. A plain GET gets 426. */
export const webSocketTransport: Transport = {
  name,
  isLongLived: true,
  attach({ app, connections, admission, viewers, counts, heartbeatMs, contextFor }) {
    const webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate,
      WebSocket: LiveSocket,
      maxPayload,
      // A client may offer its token as a subprotocol; that is never the one agreed on.
      handleProtocols: (offered) => [...offered].find((protocol) => subprotocols.has(protocol)) ?? false,
    });
    // Otherwise ws would respond in its own format.
    webSockets.on('wsClientError', (error, socket, request) => {
      const isMethod = request.method !== 'GET';
      const code = isMethod ? 'method-not-allowed' : 'bad-request';
      refuse(socket as Socket, counts, liveError(code, { message: error.message }), [
        ...(isMethod ? ['Allow: GET'] : []),
        'Sec-WebSocket-Version: 13',
      ]);
    });
    app.get('/live', { preHandler: knownParameters() }, (_request, reply) => {
      reply.headers({ upgrade: 'websocket', connection: 'upgrade' });
      return refuseWith(reply, { counts }, liveError('upgrade-required'));
    });
    const onClose = (viewer: WebSocketViewer): void => viewers.delete(name, viewer);

    app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const isLive = request.url?.split('?', 1)[0] === '/live';
      const refusal = isLive
        ? (admission.refusalOf(request) ?? parameterRefusal(request))
        : liveError('not-found');
      if (refusal !== undefined) return refuse(socket, counts, refusal);
      const ignore = (): void => {};
      // A client that leaves while it waits needs no more handling.
      socket.on('error', ignore);
      admission.authenticate(request, (access) => {
        socket.off('error', ignore);
        if (!socket.destroyed) upgrade(request, socket, head, access);
      });
    });

    function upgrade(request: IncomingMessage, socket: Socket, head: Buffer, access: Access): void {
      if (!access.ok) return refuse(socket, counts, admission.report(request, access.error));
      const { principal } = access;
      const admitted = admission.enter(request, principal);
      if (!admitted.ok) return refuse(socket, counts, admitted.error);
      const { slot } = admitted;
      // Without Nagle's wait a small frame leaves at once; ws sets it too late for the handshake's response.
      socket.setNoDelay(true);
      let isUpgraded = false;
      webSockets.handleUpgrade(request, socket, head, (ws) => {
        isUpgraded = true;
        connections.upgraded(socket);
        const context = contextFor(principal, request);
        const viewer = new WebSocketViewer(ws, socket, context, slot, heartbeatMs, onClose);
        viewers.add(name, viewer, principal.expiresAtMs, {
          address: admission.addressOf(request),
          subject: principal.name,
        });
      });
      // ws itself has refused the handshake.
      if (!isUpgraded) slot.release();
    }
  },
};

function parameterRefusal({ url = '' }: IncomingMessage): LiveError | undefined {
  const query = new URLSearchParams(url.slice('/live'.length));
  const unknown = unknownViewerParameter(query.keys(), []);
  return unknown && unknownParameterError(unknown);
}

function refuse(socket: Socket, counts: LiveCounts, error: LiveError, more: readonly string[] = []): void {
  counts.refused(error.code);
  const { status, retriable } = liveErrors[error.code];
  const headers = [
    ...more,
    ...(retriable ? [`Retry-After: ${retryAfterSeconds}`] : []),
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
  ];
  answerAndClose(socket, status, JSON.stringify({ error }), headers);
}

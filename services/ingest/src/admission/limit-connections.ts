import type { Settings } from '../settings.ts';
import type { Telemetry } from '@logloom/telemetry';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2Server, Http2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { AddressConnections } from '../quotas/address-limits.ts';
import { atMostEvery } from './at-most-every.ts';
import { IdleConnections } from './idle-connections.ts';
import { createConnectionMetrics } from '../telemetry.ts';

const warnMs = 60_000;

/** Limits the connections of all servers together. */
export interface ConnectionLimits {
  http: (server: Server) => void;
  http2: (server: Http2Server) => void;
}

/**
 * Beyond INGEST_MAX_CONNECTIONS, a connection without a request is closed to make room for the new one; where all have requests, and beyond
 * INGEST_ADDRESS_CONNECTIONS of one address, the new one is closed. Both are counted.
 */
export function createConnectionLimits(
  settings: Pick<Settings, 'INGEST_MAX_CONNECTIONS' | 'INGEST_ADDRESS_CONNECTIONS'>,
  telemetry: Telemetry,
): ConnectionLimits {
  const addresses = new AddressConnections(settings.INGEST_ADDRESS_CONNECTIONS);
  let open = 0;
  let refused = 0;
  let replaced = 0;
  const warn = atMostEvery(warnMs, (count, text: string, max: number | undefined) =>
    telemetry.logger.warn({ max, count }, text),
  );
  const onRefused = (text: string, max: number | undefined): void => {
    refused++;
    warn(text, max);
  };
  const max = settings.INGEST_MAX_CONNECTIONS;
  const idle = new IdleConnections();
  const enter = (socket: Socket): void => {
    open++;
    socket.once('close', () => open--);
    if (!addresses.enter(socket)) {
      socket.destroy();
      onRefused(
        'connections are refused: too many are open from one address',
        settings.INGEST_ADDRESS_CONNECTIONS,
      );
      return;
    }
    if (open > max) {
      const silent = idle.takeFor(socket);
      if (silent === undefined) {
        socket.destroy();
        onRefused('connections are refused: too many are open', max);
        return;
      }
      silent.destroy();
      replaced++;
      warn('connections without a request are closed: too many are open', max);
    }
    idle.add(socket, false);
  };
  createConnectionMetrics(telemetry, {
    max,
    connections: () => open,
    refused: () => refused,
    replaced: () => replaced,
  });
  return {
    http: (server) => {
      server.on('connection', enter);
      server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
        idle.remove(socket);
        response.once('close', () => idle.add(socket, true));
      });
    },
    http2: (server) => {
      const sockets = new WeakMap<Http2Session, Socket>();
      // Node makes the session in the listener before ours; its own `socket` is a stand-in.
      let latest: Http2Session | undefined;
      server.on('session', (session) => (latest = session));
      server.on('connection', (socket: Socket) => {
        if (latest !== undefined) sockets.set(latest, socket);
        latest = undefined;
        enter(socket);
      });
      const calls = new WeakMap<Socket, number>();
      const count = (socket: Socket, by: number): number => {
        const sum = (calls.get(socket) ?? 0) + by;
        calls.set(socket, sum);
        return sum;
      };
      server.on('stream', (stream: ServerHttp2Stream) => {
        const socket = stream.session === undefined ? undefined : sockets.get(stream.session);
        if (socket === undefined) return;
        count(socket, 1);
        idle.remove(socket);
        stream.once('close', () => {
          if (count(socket, -1) === 0) idle.add(socket, true);
        });
      });
    },
  };
}

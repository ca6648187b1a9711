import type { Settings } from '../settings.ts';
import type { Telemetry } from '@logloom/telemetry';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressConnections } from '../quotas/address-limits.ts';
import { atMostEvery } from './at-most-every.ts';
import { IdleConnections } from './idle-connections.ts';
import { createConnectionMetrics } from '../telemetry.ts';

const warnMs = 60_000;

/**
 * Limits the connections. Beyond INGEST_MAX_CONNECTIONS, a connection without a request is closed to make room for the new one; where all
 * have requests, and beyond INGEST_ADDRESS_CONNECTIONS of one address, the new one is closed. Both are counted.
 */
export function limitConnections(
  server: Server,
  settings: Pick<Settings, 'INGEST_MAX_CONNECTIONS' | 'INGEST_ADDRESS_CONNECTIONS'>,
  telemetry: Telemetry,
): void {
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
  server.on('connection', (socket) => {
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
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.remove(socket);
    response.once('close', () => idle.add(socket, true));
  });
  createConnectionMetrics(telemetry, {
    max,
    connections: () => open,
    refused: () => refused,
    replaced: () => replaced,
  });
}

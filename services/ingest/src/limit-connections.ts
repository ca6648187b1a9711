import type { Settings } from '@logloom/settings';
import type { Telemetry } from '@logloom/telemetry';
import type { Server } from 'node:http';
import { AddressConnections } from './address-limits.ts';
import { atMostEvery } from './at-most-every.ts';
import { createConnectionMetrics } from './telemetry.ts';

const loggedMs = 60_000;

/** Closes connections past INGEST_MAX_CONNECTIONS, and past INGEST_ADDRESS_CONNECTIONS of one address, and counts them. */
export function limitConnections(
  server: Server,
  settings: Pick<Settings, 'INGEST_MAX_CONNECTIONS' | 'INGEST_ADDRESS_CONNECTIONS'>,
  telemetry: Telemetry,
): void {
  const addresses = new AddressConnections(settings.INGEST_ADDRESS_CONNECTIONS);
  let open = 0;
  let refused = 0;
  const warn = atMostEvery(loggedMs, (count, text: string, max: number | undefined) =>
    telemetry.logger.warn({ max, count }, text),
  );
  const onRefused = (text: string, max: number | undefined): void => {
    refused++;
    warn(text, max);
  };
  server.maxConnections = settings.INGEST_MAX_CONNECTIONS;
  server.on('drop', () => onRefused('connections are refused: too many are open', server.maxConnections));
  server.on('connection', (socket) => {
    open++;
    socket.once('close', () => open--);
    if (addresses.enter(socket)) return;
    socket.destroy();
    onRefused(
      'connections are refused: too many are open from one address',
      settings.INGEST_ADDRESS_CONNECTIONS,
    );
  });
  createConnectionMetrics(telemetry, { connections: () => open, refused: () => refused });
}

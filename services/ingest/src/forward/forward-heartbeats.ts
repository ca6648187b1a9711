import type { Telemetry } from '@logloom/telemetry';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/**
 * Answers each heartbeat that senders of Fluent Forward send over UDP to the port with one byte. Resolves to undefined, with a warning, where the port cannot be taken for UDP: heartbeats are
 * off by themselves in senders of today.
 */
export async function openHeartbeats(
  host: string,
  port: number,
  logger: Telemetry['logger'],
): Promise<Socket | undefined> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  try {
    socket.bind({ address: host, port });
    await once(socket, 'listening');
  } catch (error) {
    logger.warn({ err: error as Error, port }, 'heartbeats of Fluent Forward over UDP are not answered');
    return undefined;
  }
  socket.on('error', (error) => logger.warn({ err: error }, 'heartbeats of Fluent Forward'));
  socket.on('message', (_bytes, { address, port: from }) => {
    // Never larger than what it answers; and another server would answer it again.
    if (from !== port) socket.send(answer, from, address, () => {});
  });
  return socket;
}

const answer = Buffer.from([0]);

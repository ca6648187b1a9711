import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/**
 * Checks that this process alone uses the port; returns it, or a free one for 0. Rejects with EADDRINUSE when anything listens there: with
 * SO_REUSEPORT alone, two systems with the same port would share its connections silently.
 */
export async function claimPort(host: string, port: number): Promise<number> {
  const server = createServer().listen({ host, port, exclusive: true });
  await once(server, 'listening');
  const claimed = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return claimed;
}

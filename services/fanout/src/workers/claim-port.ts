import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/**
 * Whether this process alone may use the port; gives it, a free one for 0. Rejects with EADDRINUSE when anything listens there: with
 * SO_REUSEPORT alone, two systems that were given one port would share its connections without a word.
 */
export async function claimPort(host: string, port: number): Promise<number> {
  const server = createServer().listen({ host, port, exclusive: true });
  await once(server, 'listening');
  const claimed = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return claimed;
}

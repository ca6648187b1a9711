import proxyAddress from '@fastify/proxy-addr';
import type { IncomingMessage } from 'node:http';

/** The address of who sent a request; undefined when the connection is gone. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/**
 * Tells clients by the address of their connection or, where that is one of the trusted proxies (addresses, networks, `loopback`,
 * `linklocal`, `uniquelocal`), by the last address of X-Forwarded-For that is none of them: what a client writes there itself counts
 * for nothing.
 */
export function clientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return ({ socket }) => socket.remoteAddress;
  const isTrusted = proxyAddress.compile([...trustedProxies]);
  return (request) =>
    request.socket.remoteAddress === undefined ? undefined : proxyAddress(request, isTrusted);
}

import { isLoopback } from './check-exposure.ts';
import proxyAddress from '@fastify/proxy-addr';
import type { IncomingMessage } from 'node:http';

/** The address of who sent a request; undefined when the connection is gone. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** No machine's address. */
const nobody = '0.0.0.0';

/**
 * Tells clients by the address of their connection or, where that is one of the trusted proxies (addresses, networks, `loopback`,
 * `linklocal`, `uniquelocal`), by the last address of X-Forwarded-For that is none of them: what a client writes there itself counts
 * for nothing. An address that was only claimed is never loopback, which is spared limits: only a connection itself can be this
 * machine's. Such claims count as those of one client, at 0.0.0.0.
 */
export function clientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return ({ socket }) => socket.remoteAddress;
  const isTrusted = proxyAddress.compile([...trustedProxies]);
  return (request) => {
    const { remoteAddress } = request.socket;
    if (remoteAddress === undefined) return undefined;
    const found = proxyAddress(request, isTrusted);
    if (!isLoopback(found)) return found;
    const isClaimed = request.headers['x-forwarded-for'] !== undefined && isTrusted(remoteAddress, 0);
    return isClaimed ? nobody : found;
  };
}

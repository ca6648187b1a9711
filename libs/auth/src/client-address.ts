import { isLoopback } from './check-exposure.ts';
import proxyAddress from '@fastify/proxy-addr';
import type { IncomingMessage } from 'node:http';

/** The address that a request came from; undefined when the connection is gone. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** No machine's address. */
const nobody = '0.0.0.0';

/**
 * Identifies clients by the address of their connection or, if that is one of the trusted proxies (addresses, networks, `loopback`,
 * `linklocal`, `uniquelocal`), by the last address in X-Forwarded-For that is not a trusted proxy: addresses that the client itself wrote
 * there are ignored. Loopback is exempt from limits, so only a connection's own address can be loopback; requests that claim it in the
 * header all count as one client, at 0.0.0.0.
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

/** Names the client of a request that another process of the same node passed on over a local socket. Trusted there only. */
export const clientHeader = 'x-logloom-client';

/** As clientAddress(), also for a request that another process has passed on: a connection over a local socket has no address. */
export function forwardedClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const addressOf = clientAddress(trustedProxies);
  return (request) => {
    const forwarded = request.headers[clientHeader];
    if (request.socket.remoteAddress !== undefined || typeof forwarded !== 'string')
      return addressOf(request);
    return forwarded === '' ? undefined : forwarded;
  };
}

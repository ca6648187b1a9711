import { lookup as resolve, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressRules } from './address-rules.ts';

/** Thrown instead of connecting to an address that receivers may not connect to. */
export class AddressRefusedError extends Error {
  constructor(host: string) {
    super(
      `${host} has a private, loopback or link-local address; RECEIVERS_ALLOWED_HOSTS can allow it (docs/receivers.md)`,
    );
    this.name = 'AddressRefusedError';
  }
}

/**
 * A lookup for sockets: they connect to the very addresses that were checked, so a name that changes between check and connection changes
 * nothing. A name with one address that is refused is refused as a whole.
 */
export function guardedLookup(rules: AddressRules): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      if (!addresses.every(({ address }) => rules.allows(host, address)))
        return callback(new AddressRefusedError(host), '');
      if (options.all === true) return callback(null, addresses);
      const { address, family } = addresses[0]!;
      callback(null, address, family);
    });
  };
}

/**
 * Checks a host before anything is sent: addresses are not looked up by sockets, and behind a proxy the proxy does. A name that this machine
 * cannot resolve passes: the connection decides. Throws AddressRefusedError.
 */
export async function checkHost(rules: AddressRules, hostname: string): Promise<void> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(host) === 0 ? await addressesOf(host) : [{ address: host }];
  if (!addresses.every(({ address }) => rules.allows(host, address))) throw new AddressRefusedError(host);
}

function addressesOf(host: string): Promise<Pick<LookupAddress, 'address'>[]> {
  return new Promise((settle) =>
    resolve(host, { all: true }, (error, addresses) => settle(error === null ? addresses : [])),
  );
}

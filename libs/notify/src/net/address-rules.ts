import { BlockList, isIP } from 'node:net';

interface Networks {
  ipv4: readonly (readonly [address: string, bits: number])[];
  ipv6: readonly (readonly [address: string, bits: number])[];
}

/** Networks that are not the public internet: IANA's registries of special-purpose addresses. */
const notPublic: Networks = {
  ipv4: [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ],
  ipv6: [
    // Everything but global unicast, 2000::/3.
    ['::', 3],
    ['4000::', 2],
    ['8000::', 1],
    // Teredo and 6to4: an IPv4 address, which may be private, is within them.
    ['2001::', 32],
    ['2002::', 16],
  ],
};

const linkLocal: Networks = { ipv4: [['169.254.0.0', 16]], ipv6: [['fe80::', 10]] };

/** An entry of RECEIVERS_ALLOWED_HOSTS: a name, `*.` and a name, an address, or a network such as 10.0.0.0/8. */
export function isHostEntry(text: string): boolean {
  if (/^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i.test(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Which addresses receivers may connect to. */
export class AddressRules {
  // Two lists: one would compare IPv4 addresses with networks of IPv6, as if they were mapped.
  readonly #refused: Record<'ipv4' | 'ipv6', BlockList>;
  readonly #allowed = new BlockList();
  readonly #names = new Set<string>();
  readonly #suffixes: string[] = [];

  /**
   * Addresses of the public internet are always allowed; others only if `entries` has them, or the name by which they were found.
   * `refused: 'link-local'` refuses only link-local ones.
   */
  constructor(entries: readonly string[], refused: 'not-public' | 'link-local' = 'not-public') {
    const { ipv4, ipv6 } = refused === 'not-public' ? notPublic : linkLocal;
    this.#refused = { ipv4: listOf(ipv4, 'ipv4'), ipv6: listOf(ipv6, 'ipv6') };
    for (const entry of entries.map((text) => text.toLowerCase())) {
      const [address = '', bits] = entry.split('/');
      const version = isIP(address);
      if (version === 0) {
        if (entry.startsWith('*.')) this.#suffixes.push(entry.slice(1));
        else this.#names.add(entry);
      } else if (bits === undefined) this.#allowed.addAddress(address, family(version));
      else this.#allowed.addSubnet(address, Number(bits), family(version));
    }
  }

  /** Whether a host, a name or an address without brackets, is named in the list. */
  isNamed(host: string): boolean {
    const name = host.toLowerCase().replace(/\.$/, '');
    return this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix));
  }

  /** Whether a connection to the address is allowed; `host` is what it was found by. */
  allows(host: string, address: string): boolean {
    const version = isIP(address);
    if (version === 0) return false;
    const plain = address.replace(/%.*$/, '');
    if (this.#allowed.check(plain, family(version)) || this.isNamed(host)) return true;
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
    if (mapped !== undefined) return this.allows(host, mapped);
    const { ipv4, ipv6 } = this.#refused;
    if (version === 4) return !ipv4.check(plain, 'ipv4');
    // The other list, too: Node recognizes mapped addresses in hexadecimal.
    return !ipv6.check(plain, 'ipv6') && !ipv4.check(plain, 'ipv6');
  }
}

function listOf(networks: Networks['ipv4'], type: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, type);
  return list;
}

function family(version: number): 'ipv4' | 'ipv6' {
  return version === 4 ? 'ipv4' : 'ipv6';
}

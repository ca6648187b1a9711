import { isIPv4, isIPv6 } from 'node:net';
import { Untranslatable } from '../imported-rule.ts';
import type { TextPattern } from '../text-pattern.ts';

const maxPatterns = 32;

/** Addresses: what matches some of `patterns`, and none of `except`. */
export interface NetworkPatterns {
  patterns: readonly TextPattern[];
  except: readonly TextPattern[];
}

/** The addresses of a network as texts with wildcards. Throws Untranslatable if that takes too many, or cannot be said so. */
export function patternsOfNetwork(network: string): NetworkPatterns {
  const [address = '', length = ''] = network.split('/');
  const bits = Number(length);
  if (isIPv4(address) && /^\d+$/.test(length) && bits <= 32)
    return { patterns: ofIPv4(address, bits), except: [] };
  if (isIPv6(address) && /^\d+$/.test(length) && bits <= 128) return ofIPv6(address, bits, network);
  throw new Untranslatable(`${network} is not a network`);
}

function ofIPv4(address: string, bits: number): TextPattern[] {
  const octets = address.split('.').map(Number);
  const whole = Math.floor(bits / 8);
  const prefix = octets
    .slice(0, whole)
    .map((octet) => `${octet}.`)
    .join('');
  if (whole === 4) return [[{ text: octets.join('.') }]];
  if (bits % 8 === 0) return [[{ text: prefix }, 'any']];
  const count = 2 ** (8 - (bits % 8));
  if (count > maxPatterns)
    throw new Untranslatable(
      `${address}/${bits} would take ${count} clauses: filters compare addresses as texts`,
    );
  const first = octets[whole]! - (octets[whole]! % count);
  return Array.from({ length: count }, (_, i): TextPattern =>
    whole === 3 ? [{ text: `${prefix}${first + i}` }] : [{ text: `${prefix}${first + i}.` }, 'any'],
  );
}

/** Only what does not depend on how zeros are left out, in the form of RFC 5952. */
function ofIPv6(address: string, bits: number, network: string): NetworkPatterns {
  const text = canonical(address);
  if (bits === 128) return { patterns: [[{ text }]], except: [] };
  const groups = text
    .split('::')[0]!
    .split(':')
    .filter((group) => group !== '');
  const whole = Math.floor(bits / 16);
  const rest = bits % 16;
  const isKnown =
    groups.length >= Math.ceil(bits / 16) && groups.slice(0, whole).every((group) => group !== '0');
  if (!isKnown) throw new Untranslatable(`${network} cannot be said by texts with wildcards`);
  const prefix = groups
    .slice(0, whole)
    .map((group) => `${group}:`)
    .join('');
  if (rest === 0) return { patterns: [[{ text: prefix }, 'any']], except: [] };
  const group = groups[whole]!;
  // Shorter groups have no leading zeros, so their digits are others.
  if (group.length < 4) throw new Untranslatable(`${network} cannot be said by texts with wildcards`);
  const digits = Math.floor(rest / 4);
  const free = 4 - (rest % 4);
  const first = parseInt(group[digits]!, 16) & ~(2 ** free - 1);
  const begins =
    free === 4
      ? [group.slice(0, digits)]
      : Array.from({ length: 2 ** free }, (_, i) => group.slice(0, digits) + (first + i).toString(16));
  const open = (begin: string, count: number): TextPattern => [
    { text: `${prefix}${begin}` },
    ...Array.from({ length: count }, () => 'one' as const),
    { text: ':' },
    'any',
  ];
  return {
    patterns: begins.map((begin) => open(begin, 4 - begin.length)),
    // A shorter group is another number, and the wildcards would take its colon for a digit.
    except: begins.flatMap((begin) =>
      Array.from({ length: 4 - begin.length }, (_, count) => open(begin, count)),
    ),
  };
}

/** An address of IPv6 in the one form that RFC 5952 recommends. */
function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

import { sourceAddresses } from '../generator/source-address.ts';
import { binomialCdf } from '../verdict/interval.ts';
import type { Measured } from '../verdict/measured.ts';
import type { AddressShare } from './analysis-result.ts';

/**
 * Failed and lost connections by the address from which they were made, the most first. Null model: every failure comes from each address with
 * the same probability, on its own (binomial, corrected by Bonferroni). Addresses without a failure count as well.
 */
export function addressesOf({ incidents, connections }: Measured): AddressShare[] {
  const failures = new Map<string, number>();
  for (const { kind, address, count } of incidents) {
    if ((kind !== 'connect-failed' && kind !== 'connection-lost') || address === null) continue;
    failures.set(address, (failures.get(address) ?? 0) + count);
  }
  const total = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const addresses = Math.max(failures.size, Math.min(connections.attempted, sourceAddresses));
  return [...failures]
    .sort(([, a], [, b]) => b - a)
    .map(([address, count]) => ({
      address,
      failures: count,
      share: count / total,
      p: Math.min(1, addresses * (1 - binomialCdf(count - 1, total, 1 / addresses))),
    }));
}

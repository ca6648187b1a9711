import { slots } from './field-names.ts';
import { NameTable } from './name-table.ts';

const names = new NameTable();
const maxLength = 256;

/** The service and the host that a resource names, by the names that events have; `unknown_service` only where there is nothing better. */
export function originOf(resource: Readonly<Record<string, unknown>>): {
  service: string | undefined;
  host: string | undefined;
} {
  const found = [slots.service, slots.host].map((slot) => {
    let best: string | undefined;
    let bestRank = Infinity;
    for (const key in resource) {
      const name = names.find(key);
      const value = resource[key];
      if (name.slot !== slot || typeof value !== 'string' || value === '' || value.length > maxLength)
        continue;
      const rank = name.rank + (value.startsWith('unknown_service') ? 10_000 : 0);
      if (rank < bestRank) [best, bestRank] = [value, rank];
    }
    return best;
  });
  return { service: found[0], host: found[1] };
}

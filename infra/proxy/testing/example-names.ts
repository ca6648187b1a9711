import dns from 'node:dns';

/** The names in the examples. */
export const viewersHost = 'logs.example.com';
export const ingestHost = 'ingest.example.com';

/** In this process the examples' names are those of this machine, until that is disposed. */
export function resolveExampleNames(): Disposable {
  const { lookup } = dns;
  dns.lookup = ((name: string, ...rest: unknown[]): void => {
    Reflect.apply(lookup, dns, [name.endsWith('.example.com') ? '127.0.0.1' : name, ...rest]);
  }) as typeof dns.lookup;
  return { [Symbol.dispose]: () => void (dns.lookup = lookup) };
}

import type { Registry } from 'prom-client';

interface Creatable<Metric> {
  create: (registry: Registry) => Metric;
}

/** Makes every metric of a group of declarations in the registry, under the same keys. */
export function createAll<const D extends Readonly<Record<string, Creatable<unknown>>>>(
  declarations: D,
  registry: Registry,
): { [Key in keyof D & string]: D[Key] extends Creatable<infer Metric> ? Metric : never } {
  const made = Object.entries(declarations).map(([key, metric]) => [key, metric.create(registry)] as const);
  return Object.fromEntries(made) as never;
}

import type { Instance, ServiceName } from '../deployment.ts';

/** The upstreams of the examples in infra/proxy, and the service behind each. */
export const upstreams = { viewers: 'fanout', api: 'indexer', ingest: 'ingest' } as const satisfies Record<
  string,
  ServiceName
>;
export type Upstream = keyof typeof upstreams;
export const upstreamNames = Object.keys(upstreams) as Upstream[];

/** Where a proxy sends requests: base URLs by upstream. */
export type Routes = Record<Upstream, string[]>;

/** A proxy's configuration as text, of which only the servers of the three upstreams are read and written. */
export interface ProxyFormat {
  /** Throws if an upstream is missing. */
  read(text: string): Routes;
  write(text: string, routes: Routes): string;
}

/** The routes to these instances. */
export function routesTo(instances: readonly Instance[]): Routes {
  const of = (service: ServiceName): string[] =>
    instances.filter((instance) => instance.service === service).map(({ url }) => url!);
  return { viewers: of('fanout'), api: of('indexer'), ingest: of('ingest') };
}

/** Whether the proxy sends anything to the instance. */
export function isRouted({ service, url }: Instance, routes: Routes): boolean {
  return upstreamNames.some((name) => upstreams[name] === service && routes[name].includes(url!));
}

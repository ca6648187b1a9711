import { isSeq, parseDocument, type Document } from 'yaml';
import { upstreamNames, type ProxyFormat, type Routes, type Upstream } from './routes.ts';

/** `http.services.NAME.loadBalancer.servers` of a file of Traefik's file provider, as in infra/proxy/traefik. Comments stay. */
export const traefikFormat: ProxyFormat = {
  read: (text) => {
    const document = parseDocument(text);
    return Object.fromEntries(
      upstreamNames.map((name) => {
        const { items } = serversOf(document, name);
        return [name, (items as { toJSON(): { url: string } }[]).map((item) => trimmed(item.toJSON().url))];
      }),
    ) as Routes;
  },
  write: (text, routes) => {
    const document = parseDocument(text);
    for (const name of upstreamNames) {
      const servers = serversOf(document, name);
      servers.items = routes[name].map((url) => document.createNode({ url }, { flow: true }));
    }
    return document.toString({ lineWidth: 0 });
  },
};

function serversOf(document: Document, name: Upstream) {
  const servers = document.getIn(['http', 'services', name, 'loadBalancer', 'servers'], true);
  if (!isSeq(servers)) throw new Error(`there is no http.services.${name}.loadBalancer.servers in it`);
  return servers;
}

function trimmed(url: string): string {
  return url.replace(/\/$/, '');
}

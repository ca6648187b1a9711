import { upstreamNames, type ProxyFormat, type Routes, type Upstream } from './routes.ts';

/** Blocks `upstream NAME { … server HOST:PORT; … }`, as in infra/proxy/nginx; parameters of a server are dropped when it is replaced. */
export const nginxFormat: ProxyFormat = {
  read: (text) =>
    Object.fromEntries(
      upstreamNames.map((name) => {
        const block = blockOf(text, name).exec(text)![2]!;
        return [name, Array.from(block.matchAll(server), ([, address]) => `http://${address!}`)];
      }),
    ) as Routes,
  write: (text, routes) =>
    upstreamNames.reduce(
      (changed, name) =>
        changed.replace(blockOf(changed, name), (_, open: string, block: string) => {
          const indent = /^([ \t]*)server\s/m.exec(block)?.[1] ?? '    ';
          const servers = routes[name].map((url) => `\n${indent}server ${new URL(url).host};`).join('');
          return `${open}${block.replaceAll(serverLine, '').trimEnd()}${servers}\n${indent.slice(2)}}`;
        }),
      text,
    ),
};

const server = /^[ \t]*server\s+([^\s;]+)[^;]*;/gm;
const serverLine = /\n[ \t]*server\s+[^;]*;/g;

function blockOf(text: string, name: Upstream): RegExp {
  const block = new RegExp(`(upstream\\s+${name}\\s*\\{)([^}]*)\\}`);
  if (!block.test(text)) throw new Error(`there is no "upstream ${name}" in it`);
  return block;
}

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { ProxyKind } from './proxy-kind.ts';
import { traefik } from './traefik-kind.ts';

export const nginx: ProxyKind = {
  name: 'nginx',
  examples: ['nginx/nginx.conf'],
  from: { debian: 'nginx-light' },
  args: (configuration) => ['-c', configuration, '-e', 'stderr', '-g', 'daemon off;'],
  adapt: (text, { port, folder }) =>
    text
      .replaceAll('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      .replace('events {', `user root; pid ${folder}/nginx.pid; error_log stderr;\nevents {`)
      .replace('access_log off;', `access_log off; ${temporaryPaths(folder)}`)
      .replaceAll('/etc/nginx/tls', folder),
  acceptProxyProtocol: (text) =>
    text
      .replaceAll(/(?<=^ *listen .* ssl);/gm, ' proxy_protocol;')
      .replaceAll(/# (?=(?:set_real_ip_from|real_ip_header) )/g, '')
      .replace('10.0.0.0/8', '127.0.0.1'),
  refusal: 403,
  reload: async (pid) => void process.kill(pid, 'SIGHUP'),
};

const haproxy: ProxyKind = {
  name: 'haproxy',
  examples: ['haproxy/haproxy.cfg'],
  from: { debian: 'haproxy' },
  args: (configuration) => ['-W', '-db', '-f', configuration],
  adapt: (text, { port, folder }) =>
    text
      .replace('maxconn 40000', 'maxconn 1000')
      .replace('bind :443', `bind 127.0.0.1:${port}`)
      .replaceAll('/etc/haproxy/tls', folder),
  acceptProxyProtocol: (text) => text.replace(/(?<=^ *bind .*)$/m, ' accept-proxy'),
  refusal: 403,
  reload: async (pid) => void process.kill(pid, 'SIGUSR2'),
};

const caddy: ProxyKind = {
  name: 'caddy',
  examples: ['caddy/Caddyfile'],
  from: { debian: 'caddy' },
  args: (configuration) => ['run', '--adapter', 'caddyfile', '--config', configuration],
  adapt: (text, { port, folder }) => {
    const socket = `unix/${folder}/admin.sock`;
    const global = `{\n\tadmin ${socket}\n\tauto_https disable_redirects\n\tstorage file_system ${folder}/caddy\n}\n`;
    const tls = `\ttls ${folder}/tls.crt ${folder}/tls.key\n\tbind 127.0.0.1\n`;
    return global + text.replaceAll(/^((?:logs|ingest)\.example\.com) \{\n/gm, `$1:${port} {\n${tls}`);
  },
  refusal: 403,
  reload: async (_, configuration) => {
    const folder = join(configuration, '..');
    const args = ['reload', '--force', '--adapter', 'caddyfile', '--config', configuration];
    const { status, stderr } = spawnSync('caddy', [...args, '--address', `unix/${folder}/admin.sock`]);
    if (status !== 0) throw new Error(`caddy reload: ${stderr.toString()}`);
  },
};

export const proxyKinds: readonly ProxyKind[] = [nginx, haproxy, caddy, traefik];

function temporaryPaths(folder: string): string {
  const names = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return names.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
}

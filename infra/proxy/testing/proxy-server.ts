import { temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listens } from '../../local/readiness.ts';
import { ServerProcess } from '../../local/server-process.ts';
import { createStackSecurity } from '../../local/stack-security.ts';

/** A proxy that the examples are for: how to run its example as it stands, and how to reload it. */
export interface ProxyKind {
  name: string;
  /** The example, below infra/proxy. */
  example: string;
  package: string;
  args: (configuration: string) => string[];
  /** What the example needs besides other ports, paths and certificates: the same text in each place. */
  adapt: (text: string, places: { port: number; folder: string }) => string;
  reload: (pid: number, configuration: string) => void;
}

export const proxyKinds: ProxyKind[] = [
  {
    name: 'nginx',
    example: 'nginx/nginx.conf',
    package: 'nginx-light',
    args: (configuration) => ['-c', configuration, '-e', 'stderr', '-g', 'daemon off;'],
    adapt: (text, { port, folder }) =>
      text
        .replaceAll('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replace('events {', `user root; pid ${folder}/nginx.pid; error_log stderr;\nevents {`)
        .replace('access_log off;', `access_log off; ${temporaryPaths(folder)}`)
        .replaceAll('/etc/nginx/tls', folder),
    reload: (pid) => process.kill(pid, 'SIGHUP'),
  },
  {
    name: 'haproxy',
    example: 'haproxy/haproxy.cfg',
    package: 'haproxy',
    args: (configuration) => ['-W', '-db', '-f', configuration],
    adapt: (text, { port, folder }) =>
      text
        .replace('maxconn 40000', 'maxconn 1000')
        .replace('bind :443', `bind 127.0.0.1:${port}`)
        .replaceAll('/etc/haproxy/tls', folder),
    reload: (pid) => process.kill(pid, 'SIGUSR2'),
  },
  {
    name: 'caddy',
    example: 'caddy/Caddyfile',
    package: 'caddy',
    args: (configuration) => ['run', '--adapter', 'caddyfile', '--config', configuration],
    adapt: (text, { port, folder }) => {
      const socket = `unix/${folder}/admin.sock`;
      const global = `{\n\tadmin ${socket}\n\tauto_https disable_redirects\n\tstorage file_system ${folder}/caddy\n}\n`;
      const tls = `\ttls ${folder}/tls.crt ${folder}/tls.key\n\tbind 127.0.0.1\n`;
      return global + text.replaceAll(/^((?:logs|ingest)\.example\.com) \{\n/gm, `$1:${port} {\n${tls}`);
    },
    reload: (_, configuration) => {
      const folder = join(configuration, '..');
      const args = ['reload', '--force', '--adapter', 'caddyfile', '--config', configuration];
      const { status, stderr } = spawnSync('caddy', [...args, '--address', `unix/${folder}/admin.sock`]);
      if (status !== 0) throw new Error(`caddy reload: ${stderr.toString()}`);
    },
  },
];

function temporaryPaths(folder: string): string {
  const names = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return names.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
}

/** Undefined if the proxy is installed, else why a test of it is skipped. */
export function whyMissing(kind: ProxyKind): string | undefined {
  return spawnSync(kind.name, ['-v']).error === undefined
    ? undefined
    : `engine missing: ${kind.name} (apt-get install ${kind.package})`;
}

/** An example on a port of 127.0.0.1, before a Logloom, with a certificate for the example's names. */
export class ProxyServer implements AsyncDisposable {
  /** Of the authority that issued the proxy's certificate; PEM. */
  readonly ca: string;
  readonly port: number;
  readonly #kind: ProxyKind;
  readonly #folder: TemporaryFolder;
  readonly #configuration: string;
  readonly #server: ServerProcess;

  private constructor(
    kind: ProxyKind,
    port: number,
    folder: TemporaryFolder,
    ca: string,
    configuration: string,
  ) {
    this.ca = ca;
    this.port = port;
    this.#kind = kind;
    this.#folder = folder;
    this.#configuration = configuration;
    // Where Caddy would write what it remembers.
    const variables = [`XDG_CONFIG_HOME=${folder.path}`, `XDG_DATA_HOME=${folder.path}`];
    this.#server = new ServerProcess({
      name: kind.name,
      port,
      command: 'env',
      args: [...variables, kind.name, ...kind.args(configuration)],
      logFile: join(folder.path, 'log'),
      isReady: listens(port),
      signal: new AbortController().signal,
    });
  }

  static async start(
    kind: ProxyKind,
    port: number,
    upstreams: { viewersUrl: string; ingestUrl: string },
  ): Promise<ProxyServer> {
    const folder = temporaryFolder(`proxy-${kind.name}`);
    const security = await createStackSecurity(join(folder.path, 'ca'), new AbortController().signal);
    const altNames = 'DNS:logs.example.com,DNS:ingest.example.com';
    const files = await security.issue('proxy', { altNames });
    const [cert, key] = [readFileSync(files.cert, 'utf8'), readFileSync(files.key, 'utf8')];
    for (const [name, text] of Object.entries({ 'tls.crt': cert, 'tls.key': key, 'logloom.pem': cert + key }))
      writeFileSync(join(folder.path, name), text, { mode: 0o600 });
    const configuration = join(folder.path, kind.example.split('/').at(-1)!);
    const text = readFileSync(join(import.meta.dirname, '..', kind.example), 'utf8')
      .replaceAll('127.0.0.1:4380', new URL(upstreams.viewersUrl).host)
      .replaceAll('127.0.0.1:4318', new URL(upstreams.ingestUrl).host);
    writeFileSync(configuration, kind.adapt(text, { port, folder: folder.path }));
    const proxy = new ProxyServer(kind, port, folder, readFileSync(security.ca, 'utf8'), configuration);
    await proxy.#server.start();
    return proxy;
  }

  /** Has the proxy read its configuration again, as after a change of it. */
  reload(): void {
    this.#kind.reload(this.#server.pid!, this.#configuration);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    this.#folder[Symbol.dispose]();
  }
}

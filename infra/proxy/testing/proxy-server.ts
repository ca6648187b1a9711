import { eventually, temporaryFolder } from '@logloom/testing';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** A proxy that the examples are for: how to run its example as it stands, and how to reload it. */
export interface ProxyKind {
  name: string;
  /** The example, below infra/proxy. */
  example: string;
  package: string;
  args: (configuration: string) => string[];
  /** What the example needs besides other ports, paths and certificates: the same text in each place. */
  adapt: (text: string, places: { port: number; folder: string }) => string;
  reload: (server: ChildProcess, configuration: string) => void;
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
    reload: (server) => server.kill('SIGHUP'),
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
    reload: (server) => server.kill('SIGUSR2'),
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
  /** Of the certificate's issuer, which is itself; PEM. */
  readonly certificate: string;
  readonly port: number;
  readonly #kind: ProxyKind;
  readonly #folder: string;
  readonly #configuration: string;
  readonly #child: ChildProcess;
  #errors = '';

  constructor(kind: ProxyKind, port: number, upstreams: { viewersUrl: string; ingestUrl: string }) {
    this.#kind = kind;
    this.port = port;
    this.#folder = temporaryFolder(`proxy-${kind.name}`).path;
    this.certificate = makeCertificate(this.#folder);
    this.#configuration = join(this.#folder, kind.example.split('/').at(-1)!);
    const text = readFileSync(join(import.meta.dirname, '..', kind.example), 'utf8')
      .replaceAll('127.0.0.1:4380', new URL(upstreams.viewersUrl).host)
      .replaceAll('127.0.0.1:4318', new URL(upstreams.ingestUrl).host);
    writeFileSync(this.#configuration, kind.adapt(text, { port, folder: this.#folder }));
    // Where Caddy would write what it remembers.
    const variables = [`XDG_CONFIG_HOME=${this.#folder}`, `XDG_DATA_HOME=${this.#folder}`];
    this.#child = spawn('env', [...variables, kind.name, ...kind.args(this.#configuration)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr!.on('data', (data: Buffer) => (this.#errors += data.toString()));
  }

  async started(): Promise<void> {
    await eventually(
      `${this.#kind.name} listens`,
      async () => this.#child.exitCode !== null || (await isListening(this.port)),
    );
    if (this.#child.exitCode !== null) throw new Error(`${this.#kind.name} exited: ${this.#errors}`);
  }

  /** Has the proxy read its configuration again, as after a change of it. */
  reload(): void {
    this.#kind.reload(this.#child, this.#configuration);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Writes tls.crt, tls.key and both as logloom.pem; returns the certificate. */
function makeCertificate(folder: string): string {
  const [key, crt] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  const names = 'subjectAltName=DNS:logs.example.com,DNS:ingest.example.com';
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const args = ['req', '-x509', ...curve, '-days', '2', '-subj', '/CN=logs.example.com', '-addext', names];
  const { status, stderr } = spawnSync('openssl', [...args, '-keyout', key, '-out', crt]);
  if (status !== 0) throw new Error(`openssl: ${stderr.toString()}`);
  const certificate = readFileSync(crt, 'utf8');
  writeFileSync(join(folder, 'logloom.pem'), certificate + readFileSync(key, 'utf8'));
  chmodSync(key, 0o600);
  return certificate;
}

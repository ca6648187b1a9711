import { temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { goTool } from '../../local/go-tool.ts';
import { ServerProcess } from '../../local/server-process.ts';
import { createStackSecurity } from '../../local/stack-security.ts';
import type { ProxyKind } from './proxy-kind.ts';

export interface ProxyOptions {
  /** Also changes the text of each of the example's files. */
  edit?: (text: string) => string;
  /** The proxy speaks the PROXY protocol: this address is the client's in whatever `get` sends. */
  clientAddress?: string;
}

/** An example on a port of 127.0.0.1, before a Logloom, with a certificate for the example's names. */
export class ProxyServer implements AsyncDisposable {
  /** Of the authority that issued the proxy's certificate; PEM. */
  readonly ca: string;
  readonly port: number;
  /** The example's files as they are used. */
  readonly files: readonly string[];
  readonly #kind: ProxyKind;
  readonly #folder: TemporaryFolder;
  readonly #server: ServerProcess;
  readonly #clientAddress: string | undefined;

  private constructor(
    kind: ProxyKind,
    program: string,
    port: number,
    folder: TemporaryFolder,
    ca: string,
    files: readonly string[],
    clientAddress: string | undefined,
  ) {
    this.ca = ca;
    this.port = port;
    this.files = files;
    this.#kind = kind;
    this.#folder = folder;
    this.#clientAddress = clientAddress;
    // Where Caddy would write what it remembers.
    const variables = [`XDG_CONFIG_HOME=${folder.path}`, `XDG_DATA_HOME=${folder.path}`];
    this.#server = new ServerProcess({
      name: kind.name,
      port,
      command: 'env',
      args: [...variables, program, ...kind.args(files[0]!)],
      logFile: join(folder.path, 'log'),
      // Some listen before they know their routes.
      isReady: async () => {
        const { statusCode } = (await this.get('/').catch(() => undefined))?.resume() ?? { statusCode: 503 };
        return statusCode! < 400;
      },
      signal: new AbortController().signal,
    });
  }

  static async start(
    kind: ProxyKind,
    port: number,
    upstreams: { viewersUrl: string; ingestUrl: string },
    { edit = (text) => text, clientAddress }: ProxyOptions = {},
  ): Promise<ProxyServer> {
    const { signal } = new AbortController();
    const program = 'go' in kind.from ? await goTool(kind.from.go, signal) : kind.name;
    const folder = temporaryFolder(`proxy-${kind.name}`);
    const security = await createStackSecurity(join(folder.path, 'ca'), signal);
    const altNames = 'DNS:logs.example.com,DNS:ingest.example.com';
    const issued = await security.issue('proxy', { altNames });
    const [cert, key] = [readFileSync(issued.cert, 'utf8'), readFileSync(issued.key, 'utf8')];
    for (const [name, text] of Object.entries({ 'tls.crt': cert, 'tls.key': key, 'logloom.pem': cert + key }))
      writeFileSync(join(folder.path, name), text, { mode: 0o600 });
    const files = kind.examples.map((example) => {
      const file = join(folder.path, basename(example));
      const text = readFileSync(join(import.meta.dirname, '..', example), 'utf8')
        .replaceAll('127.0.0.1:4380', new URL(upstreams.viewersUrl).host)
        .replaceAll('127.0.0.1:4318', new URL(upstreams.ingestUrl).host);
      writeFileSync(file, edit(kind.adapt(text, { port, folder: folder.path })));
      return file;
    });
    const ca = readFileSync(security.ca, 'utf8');
    const proxy = new ProxyServer(kind, program, port, folder, ca, files, clientAddress);
    await proxy.#server.start();
    return proxy;
  }

  /** Has the proxy read its configuration again, as after a change of it. */
  reload(): Promise<void> {
    return this.#kind.reload(this.#server.pid!, this.files[0]!, this.port);
  }

  /** The path is sent as it is. Rejects if there is no response. */
  async get(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const host = 'logs.example.com';
    const socket = await this.#connect(host);
    const asked = request({
      createConnection: () => socket,
      path,
      headers: { host, connection: 'close', ...headers },
    });
    const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
    return response;
  }

  async #connect(servername: string): Promise<TLSSocket> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    if (this.#clientAddress !== undefined)
      socket.write(`PROXY TCP4 ${this.#clientAddress} 127.0.0.1 50000 443\r\n`);
    const secured = connectTls({ socket, servername, ca: this.ca });
    await once(secured, 'secureConnect');
    return secured;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    this.#folder[Symbol.dispose]();
  }
}

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { StackSecurity } from './stack-security.ts';

export interface SecuredProxyOptions {
  security: StackSecurity;
  /** The engine's own URL. */
  target: string;
  /** The status for a request that is not passed on, 401 or 403; undefined: it is. */
  refuse: (incoming: IncomingMessage) => 401 | 403 | undefined;
  /** Whether clients have to show a certificate of the stack's authority. Default false. */
  wantsCertificate?: boolean;
}

/**
 * TLS and a check of credentials before an engine whose own security is not published, as Elasticsearch's, or costs too much to set up. It
 * answers a refusal as Elasticsearch and a schema registry do.
 */
export class SecuredProxy implements Disposable {
  readonly #server: Server;
  readonly #url: string;
  /** How many requests were passed on. */
  passed = 0;

  private constructor(server: Server, { target }: SecuredProxyOptions) {
    this.#server = server;
    this.#url = `https://localhost:${(server.address() as AddressInfo).port}${new URL(target).pathname.replace(/\/$/, '')}`;
  }

  static async start(options: SecuredProxyOptions): Promise<SecuredProxy> {
    const { security, wantsCertificate = false } = options;
    const [cert, key, ca] = await Promise.all(
      [security.server.cert, security.server.key, security.ca].map((file) => readFile(file)),
    );
    const agent = new Agent({ keepAlive: true });
    const { port } = new URL(options.target);
    const server = createServer(
      { cert, key, ca, requestCert: wantsCertificate, rejectUnauthorized: wantsCertificate },
      (incoming, outgoing) => {
        const status = options.refuse(incoming);
        if (status !== undefined) return answerRefusal(incoming, outgoing, status);
        proxy.passed++;
        const { method, headers, url: path } = incoming;
        const passed = request({ host: '127.0.0.1', port, path, method, headers, agent }, (answer) => {
          outgoing.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(outgoing);
        });
        passed.on('error', () => outgoing.destroy());
        incoming.pipe(passed);
      },
    );
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new SecuredProxy(server, options);
    return proxy;
  }

  /** With the path of the target. */
  get url(): string {
    return this.#url;
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function answerRefusal(incoming: IncomingMessage, outgoing: ServerResponse, status: 401 | 403): void {
  incoming.resume();
  outgoing.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
  const reason = status === 401 ? 'unable to authenticate' : 'action is unauthorized for this user';
  const error = { type: 'security_exception', reason };
  outgoing.end(JSON.stringify({ error, status, error_code: status, message: reason }));
}
